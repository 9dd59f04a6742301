/* The blob's header and everything that needs to know exactly which instruction it is at. */
#include "protocol.h"
        .section .header, "a"
        .globl  blob_start
        .hidden blob_start
blob_start:
        .quad   0x3130424f4c424f4d          /* kBlobMagic */
        .long   MOSRUN_PROTOCOL
        .long   blob_end - blob_start
        .long   leave_entry - blob_start
        .long   arrive_entry - blob_start
        .long   clocks_begin - blob_start
        .long   clocks_end - blob_start
        .long   finish_rest - blob_start
        .long   finish_call_at - blob_start

        .text
/* Threads come here with rsp = top of their slot's stack and every signal blocked. */
leave_entry:
        xorl    %ebp, %ebp
        andq    $-16, %rsp
        call    leave_thread
        ud2
arrive_entry:
        xorl    %ebp, %ebp
        andq    $-16, %rsp
        call    arrive
        ud2

/* void resume_frame(Frame *): load every register from the frame. rt_sigreturn(2) takes the frame at rsp - 8. */
        .globl  resume_frame
        .hidden resume_frame
resume_frame:
        leaq    8(%rdi), %rsp
        .globl  restorer
        .hidden restorer
restorer:
        movl    $15, %eax
        syscall
        ud2

/* void resume_home(Frame *, volatile uint32_t *inside): the same, and say that this thread is as good as out. */
        .globl  resume_home
        .hidden resume_home
resume_home:
        leaq    8(%rdi), %rsp
        movl    $15, %eax
        lock decl (%rsi)
        syscall
        ud2

/* int64_t interruptible(volatile uint32_t *interrupt, int64_t nr, const uint64_t args[6])
 * The test and the system call are one for the signal handlers: a handler that finds rip in [interruptible_test, interruptible_call]
 * (not yet entered, or rewound by the kernel to be restarted) sends it to interruptible_let_go. The kernel's own rule thus decides
 * between EINTR and restart, and no signal falls between test and call (musl's cancellation points use the same idea). */
        .globl  interruptible, interruptible_test, interruptible_call, interruptible_done, interruptible_let_go
        .hidden interruptible, interruptible_test, interruptible_call, interruptible_done, interruptible_let_go
interruptible:
        pushq   %rbx
        movq    %rdi, %rbx
        movq    %rsi, %rax
        movq    %rdx, %r11
        movq    0(%r11), %rdi
        movq    8(%r11), %rsi
        movq    16(%r11), %rdx
        movq    24(%r11), %r10
        movq    32(%r11), %r8
        movq    40(%r11), %r9
        xorl    %ecx, %ecx                  /* the kernel puts the address behind the instruction here: so it has been entered */
interruptible_test:
        cmpl    $0, (%rbx)
        jne     interruptible_let_go
interruptible_call:
        syscall
interruptible_done:
        popq    %rbx
        ret
interruptible_let_go:
        movq    $-512, %rax
        jmp     interruptible_done

/* Home: the rest of a call of which a part is done (rest.cc), with the program's registers but for the arguments and rbx, which is the slot. First
 * ppoll(2), which ends for every handler; then the call, which gets on at once. So a handler with SA_RESTART ends it as well, as it ends what has begun
 * (but not what waits for a low-water mark, of which poll(2) tells only the whole).
 * A mover that stops the thread here knows by the instruction that the sum is still to be made. An error of the rest does not undo the part.
 * So it is, with nothing done, for a call that its socket's own time-out ends: ppoll(2) has the rest of that. */
        .globl  finish_rest
        .hidden finish_rest
finish_rest:
        syscall
        testq   %rax, %rax
        js      2f
        jnz     4f
        movq    SLOT_REST_OVER(%rbx), %rax
        testq   %rax, %rax
        jnz     2f
4:      movq    SLOT_REST_CALL(%rbx), %rdi
        movq    SLOT_REST_CALL+8(%rbx), %rsi
        movq    SLOT_REST_CALL+16(%rbx), %rdx
        movq    SLOT_REST_CALL+24(%rbx), %r10
        movq    SLOT_REST_CALL+32(%rbx), %r8
        movq    SLOT_REST_CALL+40(%rbx), %r9
        movq    SLOT_REST_CALL+48(%rbx), %rax
finish_call_at:
        syscall
2:
        testq   %rax, %rax
        jns     1f
        cmpq    $0, SLOT_REST_DONE(%rbx)
        je      3f
        xorl    %eax, %eax
1:      addq    SLOT_REST_DONE(%rbx), %rax
3:      movq    SLOT_REST_REGISTERS+8(%rbx), %rdi
        movq    SLOT_REST_REGISTERS+16(%rbx), %rsi
        movq    SLOT_REST_REGISTERS+24(%rbx), %rdx
        movq    SLOT_REST_REGISTERS+32(%rbx), %r10
        movq    SLOT_REST_REGISTERS+40(%rbx), %r8
        movq    SLOT_REST_REGISTERS+48(%rbx), %r9
        movq    SLOT_REST_REGISTERS+56(%rbx), %rcx
        movl    $0, SLOT_FINISHING(%rbx)
        movq    SLOT_REST_REGISTERS(%rbx), %rbx
        jmp     *%rcx

/* Access to the program's memory. A fault with rip in [access_begin, access_end) continues at access_fault.
 * int64_t copy_program(void *to, const void *from, uint64_t n): 0 or -EFAULT
 * int64_t touch_read(uint64_t), touch_write(uint64_t): 0 or -EFAULT */
        .globl  copy_program, touch_read, touch_write, access_begin, access_end, access_fault
        .hidden copy_program, touch_read, touch_write, access_begin, access_end, access_fault
copy_program:
        movq    %rdx, %rcx
access_begin:
        rep movsb
        xorl    %eax, %eax
        ret
touch_read:
        movb    (%rdi), %al
        xorl    %eax, %eax
        ret
touch_write:
        lock orb $0, (%rdi)
        xorl    %eax, %eax
        ret
access_end:
access_fault:
        movq    $-14, %rax
        ret

/* int64_t clone_with_stack(uint64_t nr, uint64_t a0, a1, a2, void (*start)(void *), void *argument) and a fourth kernel argument of 0.
 * The child begins in start(argument) on the stack the arguments name. */
        .globl  clone_with_stack
        .hidden clone_with_stack
clone_with_stack:
        pushq   %r12
        pushq   %r13
        movq    %r8, %r12
        movq    %r9, %r13
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        xorl    %r10d, %r10d
        xorl    %r8d, %r8d
        syscall
        testq   %rax, %rax
        jz      1f
        popq    %r13
        popq    %r12
        ret
1:      xorl    %ebp, %ebp
        andq    $-16, %rsp
        movq    %r13, %rdi
        call    *%r12
        ud2
        .section .note.GNU-stack, "", @progbits
