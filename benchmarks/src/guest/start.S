# Entry in M-mode: hart 0 sets up traps, floating point, stack and .bss and calls main; the others sleep until
# on_each_hart calls them.
        .equ    STACK_SIZE, 0x10000     # of each hart; virt.ld has room for eight
        .section .text.start, "ax"
        .globl  _start
_start: la      t0, trap
        csrw    mtvec, t0
        li      t0, 0x6000              # mstatus.FS = dirty: floating point on
        csrs    mstatus, t0
        csrr    s0, mhartid
        la      sp, stack_top
        li      t0, STACK_SIZE
        mul     t0, t0, s0
        sub     sp, sp, t0
        bnez    s0, 3f
        la      t0, bss_start
        la      t1, bss_end
1:      bgeu    t0, t1, 2f
        sd      zero, 0(t0)
        addi    t0, t0, 8
        j       1b
2:      call    main
        j       stop

3:      li      t0, 8                   # mie.MSIE: wfi ends at a software interrupt, which is not taken
        csrw    mie, t0
4:      wfi
        csrr    t0, mip
        andi    t0, t0, 8
        beqz    t0, 4b
        mv      a0, s0
        call    hart_called
        j       4b

        .balign 4
        .globl  trap
trap:   csrr    a0, mcause              # no program expects a trap here
        csrr    a1, mepc
        csrr    a2, mtval
        la      sp, stack_top           # whatever the stack was
        call    trapped
stop:   wfi
        j       stop
