// The number of the protocol between nodes, for C++ and the assembler: changes with any layout of layout.h or message of wire.h.
#define MOSRUN_PROTOCOL 21
// Offsets within Slot, for the assembler; layout.h holds them to it.
#define SLOT_REST_DONE 520
#define SLOT_REST_REGISTERS 528
#define SLOT_REST_CALL 592
#define SLOT_FINISHING 656
#define SLOT_REST_OVER 720
