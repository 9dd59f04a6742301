// The number of the protocol between nodes, for C++ and the assembler: changes with any layout of layout.h or message of wire.h.
#define MOSRUN_PROTOCOL 7
