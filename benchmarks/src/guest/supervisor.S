# Going to supervisor and user mode, and the handlers of what they call. In a7 an ecall says what it wants: 0 to go back
# to who started the mode, anything else is a call that is answered.
        .section .text.supervisor, "ax"

# uint64_t in_supervisor(uint64_t (*function)(void))
        .globl  in_supervisor
in_supervisor:
        addi    sp, sp, -112
        sd      ra, 0(sp)
        sd      s0, 8(sp)
        sd      s1, 16(sp)
        sd      s2, 24(sp)
        sd      s3, 32(sp)
        sd      s4, 40(sp)
        sd      s5, 48(sp)
        sd      s6, 56(sp)
        sd      s7, 64(sp)
        sd      s8, 72(sp)
        sd      s9, 80(sp)
        sd      s10, 88(sp)
        sd      s11, 96(sp)
        la      t0, machine_stack
        sd      sp, 0(t0)
        la      t0, machine_trap
        csrw    mtvec, t0
        li      t0, -1                  # one region of physical memory protection: everything is allowed
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        li      t0, 1 << 8              # system calls go to supervisor mode
        csrw    medeleg, t0
        li      t0, 3 << 11             # mstatus.MPP = supervisor
        csrc    mstatus, t0
        li      t0, 1 << 11
        csrs    mstatus, t0
        csrw    mepc, a0
        la      ra, leave_supervisor
        mret

leave_supervisor:
        li      a7, 0
        ecall

        .balign 4
machine_trap:
        csrr    t0, mcause
        addi    t0, t0, -9              # ecall from supervisor mode
        bnez    t0, unexpected
        beqz    a7, back_to_machine
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret

unexpected:
        csrw    satp, zero
        j       trap

back_to_machine:
        csrw    satp, zero
        sfence.vma
        la      t0, trap
        csrw    mtvec, t0
        la      t0, machine_stack
        ld      sp, 0(t0)
        ld      ra, 0(sp)
        ld      s0, 8(sp)
        ld      s1, 16(sp)
        ld      s2, 24(sp)
        ld      s3, 32(sp)
        ld      s4, 40(sp)
        ld      s5, 48(sp)
        ld      s6, 56(sp)
        ld      s7, 64(sp)
        ld      s8, 72(sp)
        ld      s9, 80(sp)
        ld      s10, 88(sp)
        ld      s11, 96(sp)
        addi    sp, sp, 112
        ret

# void firmware_call(void)
        .globl  firmware_call
firmware_call:
        li      a7, 1
        ecall
        ret

# uint64_t system_calls(uint64_t count)
        .globl  system_calls
system_calls:
        addi    sp, sp, -16
        sd      ra, 0(sp)
        la      t0, supervisor_stack
        sd      sp, 0(t0)
        la      t0, supervisor_trap
        csrw    stvec, t0
        li      t0, 1 << 8              # sstatus.SPP = user
        csrc    sstatus, t0
        la      t0, user_loop
        li      t1, 0x40000000          # USER_OFFSET
        add     t0, t0, t1
        csrw    sepc, t0
        mv      a1, a0
        li      a0, 0
        sret

# User mode: the call with a7 = 1 adds one to a0.
user_loop:
1:      li      a7, 1
        ecall
        addi    a1, a1, -1
        bnez    a1, 1b
        li      a7, 0
        ecall

# As a kernel does it: the stack changes, all registers are saved, a table is asked for the call, all are restored.
        .balign 4
supervisor_trap:
        csrrw   sp, sscratch, sp
        la      sp, trap_frame
        sd      ra, 8(sp)
        sd      gp, 24(sp)
        sd      tp, 32(sp)
        sd      t0, 40(sp)
        sd      t1, 48(sp)
        sd      t2, 56(sp)
        sd      s0, 64(sp)
        sd      s1, 72(sp)
        sd      a0, 80(sp)
        sd      a1, 88(sp)
        sd      a2, 96(sp)
        sd      a3, 104(sp)
        sd      a4, 112(sp)
        sd      a5, 120(sp)
        sd      a6, 128(sp)
        sd      a7, 136(sp)
        sd      s2, 144(sp)
        sd      s3, 152(sp)
        sd      s4, 160(sp)
        sd      s5, 168(sp)
        sd      s6, 176(sp)
        sd      s7, 184(sp)
        sd      s8, 192(sp)
        sd      s9, 200(sp)
        sd      s10, 208(sp)
        sd      s11, 216(sp)
        sd      t3, 224(sp)
        sd      t4, 232(sp)
        sd      t5, 240(sp)
        sd      t6, 248(sp)
        csrr    t0, scause
        csrr    t1, sepc
        csrr    t2, sstatus
        addi    t1, t1, 4
        sd      t1, 256(sp)
        sd      t2, 264(sp)
        addi    t0, t0, -8              # ecall from user mode, the only one delegated
        bnez    t0, unexpected_here
        la      t0, calls
        slli    t1, a7, 3
        add     t0, t0, t1
        ld      t0, 0(t0)
        jalr    t0
        sd      a0, 80(sp)
        ld      t1, 256(sp)
        ld      t2, 264(sp)
        csrw    sepc, t1
        csrw    sstatus, t2
        ld      ra, 8(sp)
        ld      gp, 24(sp)
        ld      tp, 32(sp)
        ld      t0, 40(sp)
        ld      t1, 48(sp)
        ld      t2, 56(sp)
        ld      s0, 64(sp)
        ld      s1, 72(sp)
        ld      a0, 80(sp)
        ld      a1, 88(sp)
        ld      a2, 96(sp)
        ld      a3, 104(sp)
        ld      a4, 112(sp)
        ld      a5, 120(sp)
        ld      a6, 128(sp)
        ld      a7, 136(sp)
        ld      s2, 144(sp)
        ld      s3, 152(sp)
        ld      s4, 160(sp)
        ld      s5, 168(sp)
        ld      s6, 176(sp)
        ld      s7, 184(sp)
        ld      s8, 192(sp)
        ld      s9, 200(sp)
        ld      s10, 208(sp)
        ld      s11, 216(sp)
        ld      t3, 224(sp)
        ld      t4, 232(sp)
        ld      t5, 240(sp)
        ld      t6, 248(sp)
        csrrw   sp, sscratch, sp
        sret

unexpected_here:
        unimp                           # goes to machine mode and is reported there

call_add:
        addi    a0, a0, 1
        ret

call_leave:
        la      t0, supervisor_stack
        ld      sp, 0(t0)
        ld      ra, 0(sp)
        addi    sp, sp, 16
        ret

        .section .data.supervisor, "aw"
        .balign 8
calls:  .dword  call_leave, call_add
machine_stack:
        .dword  0
supervisor_stack:
        .dword  0
trap_frame:
        .zero   272
