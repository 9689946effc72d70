# Supervisor Binary Interface for the board virt. Runs in M mode at the start of RAM.
# Memory: this image, from its end + 64 KiB on a stack of 1 KiB a hart; the first 512 KiB of RAM are closed to S mode.
# While a hart is in S or U mode, mscratch is the top of its stack here; while it is in M mode, it is zero.

.equ MAX_HARTS, 64               # as many as a register has bits
.equ CLINT, 0x2000000
.equ MTIMECMP, 0x2004000
.equ UART, 0x10000000
.equ FINISHER, 0x100000
.equ RAM, 0x80000000
.equ HIDDEN, 0x80000
.equ STACKS, 0x80010000

# What is known of a hart, 128 bytes.
.equ STATE, 0            # HSM state
.equ GO, 8               # not zero: the next two are set, it may start
.equ ADDRESS, 16         # where it starts
.equ OPAQUE, 24          # its a1 then
.equ SOFT, 32            # a supervisor software interrupt is wanted
.equ ASKED, 40           # bit n: hart n wants a fence of it
.equ AWAITED, 48         # bit n: it waits for a fence of hart n
.equ KIND, 56            # which fence: the function of the extension RFENCE
.equ START, 64           # of addresses
.equ SIZE, 72
.equ ASID, 80
.equ AREA, 128
.equ AREA_SHIFT, 7

.equ STARTED, 0
.equ STOPPED, 1
.equ START_PENDING, 2
.equ SUSPENDED, 4

# Frame of a trap; below GUEST_SP other registers.
.equ GUEST_SP, 192
.equ MEPC, 200
.equ MSTATUS, 208
.equ FRAME, 224

.equ MPRV, 0x20000
.equ FLUSH_LIMIT, 0x40000        # bytes that are fenced page by page, more at once
.equ PATIENCE, 1000000           # times to look whether the UART takes a byte

_start:
  la t0, skip
  csrw mtvec, t0
  csrw mie, zero
  csrw satp, zero
  mv s4, a1                       # device tree
  mv s5, a2                       # what is next
  csrr s0, mhartid
  li t0, MAX_HARTS
  bgeu s0, t0, park
  li t0, STACKS
  addi t1, s0, 1
  slli t1, t1, 10
  add sp, t0, t1
  csrw mscratch, sp
  mv a0, s0
  call hart_area
  mv s1, a0
  call setup
  la t0, trap
  csrw mtvec, t0
  csrw mscratch, zero
  la t0, lottery
  li t1, 1
  amoadd.w t1, t1, (t0)
  bnez t1, wait_for_start

  la a0, banner
  call print
  call find_harts
  la a0, nothing
  li t0, 0x4942534f               # the magic of what is next
  ld t1, 0(s5)
  bne t0, t1, complain
  ld s6, 16(s5)                   # address
  ld s7, 24(s5)                   # mode
  beqz s6, complain
  la a0, closed
  li t0, RAM
  sub t0, s6, t0
  li t1, HIDDEN
  bltu t0, t1, complain
  mv a0, s4
  call hide_memory
  sd zero, STATE(s1)              # STARTED
  mv a0, s0
  mv a1, s4
  mv a2, s6
  mv a3, s7
  j enter

complain:
  call print
park:
  wfi
  j park

# A trap while setting up: the CSR is not there, do without.
.align 2
skip:
  csrrw sp, mscratch, sp
  csrr sp, mepc
  addi sp, sp, 4
  csrw mepc, sp
  csrrw sp, mscratch, sp
  mret

# Delegation, protection and counters of this hart.
setup:
  li t0, 0xb1ff                   # all but calls from S and M mode
  csrw medeleg, t0
  li t0, 0x222
  csrw mideleg, t0
  li t0, -1
  csrw mcounteren, t0
  li t0, 0xe0000000000000f0       # Sstc, Svpbmt, Svadu, cache block operations
  csrw menvcfg, t0
  li t0, 0x2000ffff               # the first 512 KiB of RAM, naturally aligned, for M mode only
  csrw pmpaddr0, t0
  li t0, -1
  csrw pmpaddr1, t0
  li t0, 0x1f18
  csrw pmpcfg0, t0
  li t1, -1
  li t2, 0
  csrw stimecmp, t1               # skipped where Sstc is not there, as is the next: t2 stays 0
  csrr t2, stimecmp
  la t0, has_stimecmp
  sd t2, 0(t0)
# No supervisor interrupt is pending and no timer runs. Changes t0 to t2.
quieten:
  li t0, 8                        # M software interrupts
  csrw mie, t0
  li t1, -1
  la t0, has_stimecmp
  ld t0, 0(t0)
  beqz t0, 1f
  csrw stimecmp, t1
1:
  slli t0, s0, 3
  li t2, MTIMECMP
  add t0, t0, t2
  sd t1, 0(t0)
  li t0, 0x22
  csrc mip, t0
  ret

# A hart is there when its mtimecmp keeps what is written to it; they all begin with this value.
find_harts:
  li t0, MTIMECMP
  li t1, 1
  li t2, 0
  li t3, -1
1:
  sd t3, 0(t0)
  ld t4, 0(t0)
  beqz t4, 2f
  or t2, t2, t1
2:
  addi t0, t0, 8
  slli t1, t1, 1
  bnez t1, 1b
  la t0, existing
  sd t2, 0(t0)
  ret

# a0 = hart id, a1 = second argument, a2 = address, a3 = mode: leave M mode.
enter:
  li t0, 0x188a                   # MPP, MPIE, MIE, SIE
  csrc mstatus, t0
  slli a3, a3, 11
  csrs mstatus, a3
  csrw mepc, a2
  csrw satp, zero
  csrw mscratch, sp
  fence.i
  sfence.vma
  mret

# Until another hart starts this one. It does the fences that others want all the same, so nobody waits for it in vain.
wait_for_start:
  slli t1, s0, 2
  li t0, CLINT
  add t0, t0, t1
  sw zero, 0(t0)
  fence
  call serve_fences
  addi t0, s1, GO
  amoswap.d t1, zero, (t0)
  bnez t1, 1f
  wfi
  j wait_for_start
1:
  fence
  ld a2, ADDRESS(s1)
  ld a1, OPAQUE(s1)
  li a3, 1
  mv a0, s0
  sd zero, SOFT(s1)
  sd zero, STATE(s1)              # from here on others ask it for fences; what they changed before, enter fences
  fence
  j enter

# a0 = hart id -> a0 = what is known of it. Changes t0.
hart_area:
  slli a0, a0, AREA_SHIFT
  la t0, harts
  add a0, a0, t0
  ret

# a0 = device tree: RAM begins behind this program for whoever is next.
hide_memory:
  # Offsets 4 and 8 of the header: size of all, offset of the structure; big-endian.
  addi t0, a0, 4
  mv t5, ra
  call load_be
  mv ra, t5
  add t2, a0, t1                  # end
  addi t0, a0, 8
  mv t5, ra
  call load_be
  mv ra, t5
  add t3, a0, t1                  # here
1:
  addi t4, t3, 28
  bgtu t4, t2, 9f
  # A property (3) of 16 bytes that begins with the address of RAM.
  mv t0, t3
  mv t5, ra
  call load_be
  li t4, 3
  bne t1, t4, 2f
  addi t0, t3, 4
  call load_be
  li t4, 16
  bne t1, t4, 2f
  addi t0, t3, 12
  call load_be
  bnez t1, 2f
  addi t0, t3, 16
  call load_be
  li t4, RAM
  bne t1, t4, 2f
  li t1, HIDDEN
  add t1, t1, t4
  call store_be
  # The size, 64 bits.
  addi t0, t3, 20
  call load_be
  slli t6, t1, 32
  addi t0, t3, 24
  call load_be
  or t6, t6, t1
  li t1, HIDDEN
  sub t6, t6, t1
  mv t1, t6
  call store_be
  addi t0, t3, 20
  srli t1, t6, 32
  call store_be
  mv ra, t5
  ret
2:
  mv ra, t5
  addi t3, t3, 4
  j 1b
9:
  ret

# t0 = address -> t1 = 32 bits there, big-endian. Changes a2.
load_be:
  lbu t1, 0(t0)
  slli t1, t1, 8
  lbu a2, 1(t0)
  or t1, t1, a2
  slli t1, t1, 8
  lbu a2, 2(t0)
  or t1, t1, a2
  slli t1, t1, 8
  lbu a2, 3(t0)
  or t1, t1, a2
  ret

# t0 = address, t1 = value: store 32 bits there, big-endian. Changes a2.
store_be:
  sb t1, 3(t0)
  srli a2, t1, 8
  sb a2, 2(t0)
  srli a2, t1, 16
  sb a2, 1(t0)
  srli a2, t1, 24
  sb a2, 0(t0)
  ret

# a0 = text that ends with a zero.
print:
  li t0, UART
1:
  lbu t1, 0(a0)
  beqz t1, 3f
2:
  lbu t2, 5(t0)
  andi t2, t2, 0x20
  beqz t2, 2b
  sb t1, 0(t0)
  addi a0, a0, 1
  j 1b
3:
  ret

.align 2
trap:
  csrrw sp, mscratch, sp
  beqz sp, defect                 # in M mode
  addi sp, sp, -FRAME
  sd ra, 0(sp)
  sd t0, 8(sp)
  sd t1, 16(sp)
  sd t2, 24(sp)
  sd t3, 32(sp)
  sd t4, 40(sp)
  sd t5, 48(sp)
  sd t6, 56(sp)
  sd a0, 64(sp)
  sd a1, 72(sp)
  sd a2, 80(sp)
  sd a3, 88(sp)
  sd a4, 96(sp)
  sd a5, 104(sp)
  sd a6, 112(sp)
  sd a7, 120(sp)
  sd s0, 128(sp)
  sd s1, 136(sp)
  sd s2, 144(sp)
  sd s3, 152(sp)
  sd s4, 160(sp)
  sd s5, 168(sp)
  sd s6, 176(sp)
  sd s7, 184(sp)
  csrrw t0, mscratch, zero
  sd t0, GUEST_SP(sp)
  csrr t0, mepc
  sd t0, MEPC(sp)
  csrr t0, mstatus
  sd t0, MSTATUS(sp)
  csrr s0, mhartid
  slli s1, s0, AREA_SHIFT
  la t0, harts
  add s1, s1, t0
  csrr t0, mcause
  bltz t0, interrupt
  li t1, 9
  bne t0, t1, redirect
  call sbi_call
  sd a0, 64(sp)
  ld t0, MEPC(sp)
  addi t0, t0, 4
  sd t0, MEPC(sp)
  # Legacy calls return one value.
  ld t0, 120(sp)
  li t1, 16
  bltu t0, t1, restore
  sd a1, 72(sp)
restore:
  ld t0, MEPC(sp)
  csrw mepc, t0
  ld t0, MSTATUS(sp)
  csrw mstatus, t0
  ld t0, GUEST_SP(sp)
  csrw mscratch, t0
  ld ra, 0(sp)
  ld t0, 8(sp)
  ld t1, 16(sp)
  ld t2, 24(sp)
  ld t3, 32(sp)
  ld t4, 40(sp)
  ld t5, 48(sp)
  ld t6, 56(sp)
  ld a0, 64(sp)
  ld a1, 72(sp)
  ld a2, 80(sp)
  ld a3, 88(sp)
  ld a4, 96(sp)
  ld a5, 104(sp)
  ld a6, 112(sp)
  ld a7, 120(sp)
  ld s0, 128(sp)
  ld s1, 136(sp)
  ld s2, 144(sp)
  ld s3, 152(sp)
  ld s4, 160(sp)
  ld s5, 168(sp)
  ld s6, 176(sp)
  ld s7, 184(sp)
  addi sp, sp, FRAME
  csrrw sp, mscratch, sp
  mret

# The exception in mcause and mtval becomes one of the supervisor, at the instruction that led here.
redirect:
  la t0, trap
  csrw mtvec, t0
  csrr t0, mcause
  csrw scause, t0
  csrr t0, mtval
  csrw stval, t0
  ld t0, MEPC(sp)
  csrw sepc, t0
  csrr t0, stvec
  andi t0, t0, -4
  sd t0, MEPC(sp)
  ld t0, MSTATUS(sp)
  srli t1, t0, 3                  # SPP: the mode it came from, bit 11 to 8
  andi t1, t1, 0x100
  andi t2, t0, 2                  # SPIE: SIE, bit 1 to 5
  slli t2, t2, 4
  li t3, 0x1922                   # MPP, SPP, SPIE, SIE
  not t3, t3
  and t0, t0, t3
  or t0, t0, t1
  or t0, t0, t2
  li t1, 0x800                    # MPP: S
  or t0, t0, t1
  sd t0, MSTATUS(sp)
  j restore

interrupt:
  andi t0, t0, 63
  li t1, 7
  beq t0, t1, 1f
  li t1, 3
  bne t0, t1, defect
  call soft_interrupt
  j restore
1:
  call timer_interrupt
  j restore

# The M timer interrupt, which is for the supervisor. Changes t0.
timer_interrupt:
  li t0, 0x80
  csrc mie, t0
  li t0, 0x20
  csrs mip, t0
  ret

# The M software interrupt: other harts want something of this one. Changes t0 to t6.
soft_interrupt:
  slli t0, s0, 2
  li t1, CLINT
  add t0, t0, t1
  sw zero, 0(t0)
  fence
  addi t0, s1, SOFT
  amoswap.d t1, zero, (t0)
  beqz t1, serve_fences
  csrsi mip, 2

# Does the fences that others want of this hart. Changes t0 to t6.
serve_fences:
  fence
  addi t0, s1, ASKED
  amoswap.d t6, zero, (t0)
  beqz t6, 3f
  fence
  la t5, harts
  mv t4, ra
1:
  andi t0, t6, 1
  beqz t0, 2f
  call fence_for
  li t0, 1
  sll t0, t0, s0
  not t0, t0
  addi t1, t5, AWAITED
  fence
  amoand.d zero, t0, (t1)
2:
  srli t6, t6, 1
  addi t5, t5, AREA
  bnez t6, 1b
  mv ra, t4
3:
  ret

# The fence that a hart wants. t5 = what is known of that hart. Changes t0 to t3.
fence_for:
  ld t0, KIND(t5)
  beqz t0, 5f
  ld t1, START(t5)
  ld t2, SIZE(t5)
  or t3, t1, t2
  beqz t3, 6f
  li t3, FLUSH_LIMIT
  bgtu t2, t3, 6f
  add t2, t2, t1                  # may be 0, the end of all addresses
  li t3, -4096
  and t1, t1, t3
  sub t2, t2, t1
  ld t3, ASID(t5)
  addi t0, t0, -2
  bnez t0, 2f
  li t0, 4096
1:
  blez t2, 4f
  sfence.vma t1, t3
  add t1, t1, t0
  sub t2, t2, t0
  j 1b
2:
  li t0, 4096
3:
  blez t2, 4f
  sfence.vma t1, zero
  add t1, t1, t0
  sub t2, t2, t0
  j 3b
4:
  ret
5:
  fence.i
  ret
6:
  addi t0, t0, -2
  beqz t0, 7f
  sfence.vma
  ret
7:
  ld t3, ASID(t5)
  sfence.vma zero, t3
  ret

# What M mode does to the supervisor's memory it does with the rights of S mode: with MPRV set. s2 = MPRV, s4 = where to
# go on after a fault. This is mtvec meanwhile; mstatus as it was drops MPRV.
.align 2
guest_fault:
  ld t0, MSTATUS(sp)
  csrw mstatus, t0
  jr s4

# The next accesses with MPRV are of physical addresses. s4 as above; s3 keeps satp. Changes t0.
open_memory:
  la t0, guest_fault
  csrw mtvec, t0
  csrrw s3, satp, zero
  li s2, MPRV
  ret

# Ends that. Changes t0.
close_memory:
  csrw satp, s3
  la t0, trap
  csrw mtvec, t0
  ret

# t1 = physical address -> t2 = 0 when the supervisor can run code there. Changes t0, s2, s3, s4, s5.
can_run:
  andi t2, t1, 1
  bnez t2, 2f
  mv s5, ra
  call open_memory
  la s4, 1f
  li t2, 1
  csrs mstatus, s2
  lhu t0, 0(t1)
  csrc mstatus, s2
  li t2, 0
1:
  call close_memory
  mv ra, s5
2:
  ret

defect:
  la a0, defect_text
  call print
  li t0, FINISHER
  li t1, 0x13333
  sw t1, 0(t0)
  j park

# An SBI call: a7 = extension, a6 = function, a0 to a5 = arguments -> a0 = error, a1 = value. s0 = hart id, s1 = what is
# known of this hart. May change all registers that the frame keeps.
sbi_call:
  li t0, 0x735049
  beq a7, t0, ipi
  li t0, 0x52464e43
  beq a7, t0, rfence
  li t0, 0x54494d45
  beq a7, t0, time
  li t0, 0x10
  beq a7, t0, base
  li t0, 0x48534d
  beq a7, t0, hsm
  li t0, 0x53525354
  beq a7, t0, srst
  li t0, 0x4442434e
  beq a7, t0, dbcn
  beqz a7, set_timer
  li t0, 1
  beq a7, t0, put_byte
  li t0, 2
  beq a7, t0, get_byte
  li t0, 3
  beq a7, t0, clear_ipi
  li t0, 8
  beq a7, t0, shutdown
  bltu a7, t0, legacy_with_mask
not_supported:
  li a0, -2
  li a1, 0
  ret
invalid_parameter:
  li a0, -3
  li a1, 0
  ret
invalid_address:
  li a0, -5
  li a1, 0
  ret
success:
  li a0, 0
  li a1, 0
  ret

base:
  li t0, 6
  bgtu a6, t0, not_supported
  mv t1, a0
  li a0, 0
  li t0, 3
  beq a6, t0, probe
  beqz a6, 1f
  li t0, 1
  beq a6, t0, 2f
  li t0, 2
  beq a6, t0, 3f
  li t0, 4
  beq a6, t0, 4f
  li t0, 5
  beq a6, t0, 5f
  csrr a1, mimpid
  ret
1:
  li a1, 0x2000000                # version 2.0
  ret
2:
  li a1, 0x41534355               # implementation: not a registered one
  ret
3:
  li a1, 1
  ret
4:
  csrr a1, mvendorid
  ret
5:
  csrr a1, marchid
  ret
probe:
  la t0, extensions
  li t2, -1
  li a1, 0
6:
  ld t3, 0(t0)
  beq t3, t2, 7f
  addi t0, t0, 8
  bne t3, t1, 6b
  li a1, 1
7:
  ret

time:
  bnez a6, not_supported
set_timer:
  la t0, has_stimecmp             # with Sstc nothing but stimecmp makes STIP pending, also for those who call here
  ld t0, 0(t0)
  beqz t0, 1f
  csrw stimecmp, a0
  j success
1:
  slli t0, s0, 3
  li t1, MTIMECMP
  add t0, t0, t1
  sd a0, 0(t0)
  li t0, 0x20
  csrc mip, t0
  li t0, 0x80
  csrs mie, t0
  j success

# Whether one was pending, perhaps only on its way.
clear_ipi:
  addi t0, s1, SOFT
  amoswap.d a0, zero, (t0)
  csrr t0, mip
  srli t0, t0, 1
  andi t0, t0, 1
  or a0, a0, t0
  csrci mip, 2
  ret

# Legacy calls 4 to 7: the first argument points to the mask, in the supervisor's address space; 0 means all harts.
legacy_with_mask:
  li t1, 0
  li t2, -1
  beqz a0, 1f
  la s4, redirect
  la t0, guest_fault
  csrw mtvec, t0
  li s2, MPRV
  csrs mstatus, s2
  ld t1, 0(a0)
  csrc mstatus, s2
  la t0, trap
  csrw mtvec, t0
  li t2, 0
1:
  mv a0, t1
  mv a4, a3
  mv a3, a2
  mv a2, a1
  mv a1, t2
  addi a6, a7, -5
  bgez a6, rfence
  li a6, 0
ipi:
  bnez a6, not_supported
  mv s5, ra
  call harts_of_mask
  mv ra, s5
  bnez t0, invalid_parameter
  la t2, harts
  li t3, CLINT
  li t4, 1
1:
  beqz a0, success
  andi t0, a0, 1
  beqz t0, 2f
  addi t0, t2, SOFT
  amoor.d zero, t4, (t0)
  fence
  sw t4, 0(t3)
2:
  srli a0, a0, 1
  addi t2, t2, AREA
  addi t3, t3, 4
  j 1b

# a0 = mask, a1 = first hart or -1 for all -> a0 = mask of those that run; t0 = 0, or not when it names a hart that is
# not there. Changes t1 to t4.
harts_of_mask:
  la t2, existing
  ld t2, 0(t2)
  li t0, -1
  bne a1, t0, 1f
  mv a0, t2
  j 2f
1:
  beqz a0, 5f
  li t0, MAX_HARTS
  bgeu a1, t0, 6f
  sll t0, a0, a1
  srl t1, t0, a1
  bne t1, a0, 6f
  mv a0, t0
  not t1, t2
  and t1, t1, a0
  bnez t1, 6f
2:
  fence
  la t0, harts
  li t1, 1
3:
  ld t3, STATE(t0)
  addi t3, t3, -STOPPED           # 0 STOPPED, 1 START_PENDING
  li t4, 2
  bgeu t3, t4, 4f
  not t4, t1
  and a0, a0, t4
4:
  slli t1, t1, 1
  addi t0, t0, AREA
  srli t2, t2, 1
  bnez t2, 3b
5:
  li t0, 0
  ret
6:
  li t0, 1
  ret

# a2 = start, a3 = size, a4 = ASID. The harts of the mask read the request here; each takes its bit out of AWAITED. Who
# waits does what others want of it, so two that fence each other do not wait for ever.
rfence:
  li t0, 2
  bgtu a6, t0, not_supported
  bne a6, t0, 1f
  srli t0, a4, 16
  bnez t0, invalid_parameter
1:
  mv s5, ra
  call harts_of_mask
  mv ra, s5
  bnez t0, invalid_parameter
  sd a6, KIND(s1)
  sd a2, START(s1)
  sd a3, SIZE(s1)
  sd a4, ASID(s1)
  li t4, 1
  sll t4, t4, s0                  # this hart
  and s6, a0, t4
  not t0, t4
  and a0, a0, t0
  sd a0, AWAITED(s1)
  la t2, harts
  li t3, CLINT
  li t5, 1
2:                                # ask all
  beqz a0, 4f
  andi t0, a0, 1
  beqz t0, 3f
  addi t0, t2, ASKED
  fence
  amoor.d zero, t4, (t0)
  fence
  sw t5, 0(t3)
3:
  srli a0, a0, 1
  addi t2, t2, AREA
  addi t3, t3, 4
  j 2b
4:
  beqz s6, 5f
  mv t5, s1
  call fence_for
5:                                # wait for all
  ld t0, AWAITED(s1)
  beqz t0, 6f
  call serve_fences
  pause
  j 5b
6:
  fence
  mv ra, s5
  j success

hsm:
  li t0, 1
  beq a6, t0, hart_stop
  li t0, 3
  beq a6, t0, hart_suspend
  bgtu a6, t0, not_supported
  li t0, MAX_HARTS
  bgeu a0, t0, invalid_parameter
  la t0, existing
  ld t0, 0(t0)
  srl t0, t0, a0
  andi t0, t0, 1
  beqz t0, invalid_parameter
  mv s6, a0
  mv s7, ra
  call hart_area
  beqz a6, hart_start
  ld a1, STATE(a0)
  li a0, 0
  jr s7
hart_start:
  mv t1, a1
  call can_run
  mv ra, s7
  bnez t2, invalid_address
  li t1, STOPPED
  li t2, START_PENDING
1:                                # one of several who start the same hart
  lr.d t0, (a0)                   # STATE
  bne t0, t1, 2f
  sc.d t0, t2, (a0)
  bnez t0, 1b
  sd a1, ADDRESS(a0)
  sd a2, OPAQUE(a0)
  fence
  li t0, 1
  sd t0, GO(a0)
  fence
  slli t1, s6, 2
  li t2, CLINT
  add t1, t1, t2
  sw t0, 0(t1)
  j success
2:
  li a0, -6                       # already available
  li a1, 0
  ret

hart_stop:
  call quieten
  fence
  li t0, STOPPED
  sd t0, STATE(s1)
  addi sp, sp, FRAME
  j wait_for_start

# Sleeps until an interrupt is pending that the supervisor has enabled; M interrupts are dealt with meanwhile.
hart_suspend:
  sext.w s6, a0
  mv s7, ra
  beqz s6, 1f
  li t0, -0x80000000
  bne s6, t0, invalid_parameter
  mv t1, a1
  call can_run
  mv ra, s7
  bnez t2, invalid_address
1:
  li t0, SUSPENDED
  sd t0, STATE(s1)
2:
  call soft_interrupt
  csrr t0, mip
  csrr t1, mie
  and t0, t0, t1
  andi t0, t0, 0x80
  beqz t0, 3f
  call timer_interrupt
3:
  csrr t0, mip
  csrr t1, mie
  and t0, t0, t1
  andi t0, t0, 0x222
  bnez t0, 4f
  wfi
  j 2b
4:
  sd zero, STATE(s1)
  mv ra, s7
  beqz s6, success
  addi sp, sp, FRAME              # what is not kept is the context; resume with a0 = hart id, a1 = opaque
  mv a0, s0
  mv t0, a1
  mv a1, a2
  mv a2, t0
  li a3, 1
  j enter

# a0 = type, a1 = reason, 32 bits each.
srst:
  bnez a6, not_supported
  slli a0, a0, 32
  srli a0, a0, 32
  slli a1, a1, 32
  srli a1, a1, 32
  li t0, 2
  bgtu a0, t0, invalid_parameter
  li t0, 1
  bgtu a1, t0, invalid_parameter
  li t1, 0x7777
  bnez a0, finish
  li t1, 0x13333
  bnez a1, finish
shutdown:
  li t1, 0x5555
finish:
  li t0, FINISHER
  sw t1, 0(t0)
  j park

dbcn:
  li t0, 2
  beq a6, t0, put_byte
  bgtu a6, t0, not_supported
  bnez a2, invalid_parameter
  beqz a0, success
  add s7, a1, a0
  addi s7, s7, -1                 # the last byte
  bltu s7, a1, invalid_parameter
  mv s5, ra
  mv s6, a0                       # left to do
  li t6, UART
  call open_memory
  la s4, 7f
  bnez a6, 4f
  csrs mstatus, s2                # all of it can be read when both ends can
  lbu t2, 0(a1)
  lbu t2, 0(s7)
  csrc mstatus, s2
1:
  csrs mstatus, s2
  lbu t2, 0(a1)
  csrc mstatus, s2
  li t3, PATIENCE
2:
  lbu t1, 5(t6)
  andi t1, t1, 0x20
  bnez t1, 3f
  addi t3, t3, -1
  bnez t3, 2b
  j 6f
3:
  sb t2, 0(t6)
  addi a1, a1, 1
  addi s6, s6, -1
  bnez s6, 1b
  j 6f
4:
  andi t1, a1, -4                 # it can be written when nothing can be or-ed into it
  andi t2, s7, -4
  csrs mstatus, s2
  amoor.w zero, zero, (t1)
  amoor.w zero, zero, (t2)
  csrc mstatus, s2
5:
  lbu t1, 5(t6)
  andi t1, t1, 1
  beqz t1, 6f
  lbu t1, 0(t6)
  csrs mstatus, s2
  sb t1, 0(a1)
  csrc mstatus, s2
  addi a1, a1, 1
  addi s6, s6, -1
  bnez s6, 5b
6:
  sub a1, a0, s6
  li a0, 0
  j 8f
7:
  li a0, -3
  li a1, 0
8:
  call close_memory
  jr s5

put_byte:
  li t0, UART
1:
  lbu t1, 5(t0)
  andi t1, t1, 0x20
  beqz t1, 1b
  sb a0, 0(t0)
  j success

get_byte:
  li t0, UART
  lbu t1, 5(t0)
  andi t1, t1, 1
  li a0, -1
  beqz t1, 1f
  lbu a0, 0(t0)
1:
  ret

banner:
  .asciz "Ascus SBI\r\n"
nothing:
  .asciz "Ascus SBI: nothing to start, there is no kernel\r\n"
closed:
  .asciz "Ascus SBI: the kernel is in the first 512 KiB of RAM, which are kept from it\r\n"
defect_text:
  .asciz "Ascus SBI: trap that nobody expects\r\n"

# What is written lies on pages without code.
.align 12
extensions:
  .dword 0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x53525354, 0x4442434e
  .dword 0, 1, 2, 3, 4, 5, 6, 7, 8, -1

lottery:
  .dword 0

has_stimecmp:
  .dword 0

existing:
  .dword 0                        # bit n: there is a hart n

.align 7
harts:
  .rept 64
  .dword STOPPED
  .zero 120
  .endr
