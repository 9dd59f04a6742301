// A stand-in for the stub: carries out, inside the sandbox, the system calls that a test sends over channel 0.
// Freestanding and position independent, as the stub is; end of file ends it.
#include "guest.h"

#include "stub/layout.h"

using namespace mosrun;

#define MOSRUN_TEXT(x) #x
#define MOSRUN_STRING(x) MOSRUN_TEXT(x)

asm(R"(
  .section .header, "ax"
  .globl blob_header
blob_header:
  .quad 0x3130424f4c424f4d
  .long )" MOSRUN_STRING(MOSRUN_PROTOCOL) R"(
  .long 0
  .long 0
  .long arrive - blob_header
  .long 0
  .long 0
  .text
arrive:
  mov %rsp, %rdi
  and $-0x100000, %rdi
  and $-16, %rsp
  call guest
  ud2
  .globl bare_call
bare_call:
  push %rbp
  mov %rdi, %rbp
  mov 0(%rbp), %rax
  mov 8(%rbp), %rdi
  mov 16(%rbp), %rsi
  mov 24(%rbp), %rdx
  mov 32(%rbp), %r10
  mov 40(%rbp), %r8
  mov 48(%rbp), %r9
  syscall
  pop %rbp
  ret
bare_call_end:
  .globl bare_call_end
)");

extern "C" {
__attribute__((visibility("hidden"))) int64_t bare_call(const uint64_t *);
extern __attribute__((visibility("hidden"))) const char bare_call_end[];

static int64_t call(uint64_t nr, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0, uint64_t d = 0, uint64_t e = 0, uint64_t f = 0) {
  uint64_t all[7] = {nr, a, b, c, d, e, f};
  return bare_call(all);
}

static bool transfer(uint64_t nr, int fd, void *data, uint64_t size) {
  for (uint64_t done = 0; done < size;) {
    int64_t n = call(nr, static_cast<uint64_t>(fd), reinterpret_cast<uint64_t>(data) + done, size - done, nr == 44 ? 0x4000 : 0);
    if (n <= 0) return false;
    done += static_cast<uint64_t>(n);
  }
  return true;
}

// SIGSYS: the call that was trapped answers kTrapped.
static void trapped(int, void *, uint64_t *context) { context[5 + 13] = static_cast<uint64_t>(kTrapped); }
asm("restorer: mov $15, %eax; syscall");
extern __attribute__((visibility("hidden"))) const char restorer[];

__attribute__((used, visibility("hidden"))) void guest(Slot *slot) {
  int channel = slot->channel;
  uint64_t base = reinterpret_cast<uint64_t>(slot) - kSlotsOffset;
  auto *control = reinterpret_cast<Control *>(base + kControlOffset);
  // A copy of bare_call outside of the stub, where a program's own code would be.
  int64_t page = call(9, 0, 4096, 7, 0x22, ~0ull, 0);
  for (uint64_t i = 0; i < static_cast<uint64_t>(bare_call_end - reinterpret_cast<const char *>(bare_call)); i++)
    reinterpret_cast<volatile char *>(page)[i] = reinterpret_cast<const char *>(bare_call)[i];
  uint64_t unblock[1] = {1ull << 30};   // SIGSYS
  uint64_t action[4] = {reinterpret_cast<uint64_t>(trapped), 0x04000000 | 4, reinterpret_cast<uint64_t>(restorer), 0};
  call(13, 31, reinterpret_cast<uint64_t>(action), 0, 8);
  call(14, 1, reinterpret_cast<uint64_t>(unblock), 0, 8);
  auto outside = reinterpret_cast<int64_t (*)(const uint64_t *)>(page);
  GuestCall request;
  while (transfer(45, channel, &request, sizeof request)) {
    int64_t result = 0;
    switch (request.what) {
      case GuestWhat::inside: result = bare_call(request.call); break;
      case GuestWhat::outside: result = outside(request.call); break;
      case GuestWhat::describe: result = 0; break;
    }
    GuestAnswer answer{result, control->event, control->pool, control->maps, control->pagemap, control->uffd};
    uint64_t buffer = reinterpret_cast<uint64_t>(slot) + kBufferOffset;
    if (!transfer(44, channel, &answer, sizeof answer)) break;
    if (request.take && !transfer(45, channel, reinterpret_cast<void *>(buffer), request.take)) break;
    if (request.give && !transfer(44, channel, reinterpret_cast<void *>(buffer), request.give)) break;
  }
  for (;;) call(231, 0);
}
}
