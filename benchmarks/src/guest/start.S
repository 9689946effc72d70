# Entry in M-mode: hart 0 sets up traps, floating point, stack and .bss and calls main; others sleep.
        .section .text.start, "ax"
        .globl  _start
_start: csrr    t0, mhartid
        bnez    t0, park
        la      t0, trap
        csrw    mtvec, t0
        li      t0, 0x6000              # mstatus.FS = dirty: floating point on
        csrs    mstatus, t0
        la      sp, stack_top
        la      t0, bss_start
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sd      zero, 0(t0)
        addi    t0, t0, 8
        j       1b
2:      call    main
        j       stop
park:   wfi
        j       park

        .balign 4
trap:   csrr    a0, mcause              # no program here expects a trap
        csrr    a1, mepc
        csrr    a2, mtval
        call    trapped
stop:   j       stop
