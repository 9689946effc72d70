# Supervisor Binary Interface for the board virt. Runs in M mode at the start of RAM.
# Memory: this image, from its end + 64 KiB on a stack of 1 KiB a hart; the first 512 KiB of RAM are closed to S mode.

.equ MAX_HARTS, 16
.equ CLINT, 0x2000000
.equ MTIMECMP, 0x2004000
.equ UART, 0x10000000
.equ FINISHER, 0x100000
.equ RAM, 0x80000000
.equ HIDDEN, 0x80000
.equ STACKS, 0x80010000

# What is known of a hart, 64 bytes.
.equ STATE, 0            # HSM state
.equ ADDRESS, 8          # where it starts
.equ OPAQUE, 16          # its a1 then
.equ SOFT, 24            # a supervisor software interrupt is wanted
.equ WANTED, 32          # fences asked for
.equ DONE, 40            # fences done

.equ STARTED, 0
.equ STOPPED, 1
.equ START_PENDING, 2
.equ SUSPENDED, 4

# Frame of a trap.
.equ FRAME, 256

_start:
  la t0, skip
  csrw mtvec, t0
  csrw mie, zero
  csrw satp, zero
  mv s0, a1                       # device tree
  mv s1, a2                       # what is next
  csrr s2, mhartid
  li t0, MAX_HARTS
  bgeu s2, t0, park
  li t0, STACKS
  addi t1, s2, 1
  slli t1, t1, 10
  add sp, t0, t1
  csrw mscratch, sp
  call setup
  la t0, trap
  csrw mtvec, t0
  la t0, lottery
  li t1, 1
  amoadd.w t1, t1, (t0)
  bnez t1, wait_for_start

  la a0, banner
  call print
  li t0, 0x4942534f               # the magic of what is next
  ld t1, 0(s1)
  bne t0, t1, nothing_next
  ld s3, 16(s1)                   # address
  ld s4, 24(s1)                   # mode
  beqz s3, nothing_next
  mv a0, s0
  mv a1, s3
  call hide_memory
  mv a0, s2
  call hart_area
  li t0, STARTED
  sd t0, STATE(a0)
  mv a0, s2
  mv a1, s0
  mv a2, s3
  mv a3, s4
  j enter

nothing_next:
  la a0, nothing
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
  csrr t0, mhartid
  slli t0, t0, 3
  li t1, MTIMECMP
  add t0, t0, t1
  li t1, -1
  sd t1, 0(t0)
  li t2, 0
  csrw stimecmp, t1               # skipped where Sstc is not there, as is the next: t2 stays 0
  csrr t2, stimecmp
  la t0, has_stimecmp
  sd t2, 0(t0)
  li t0, 8                        # M software interrupts
  csrw mie, t0
  ret

# a0 = hart id, a1 = second argument, a2 = address, a3 = mode: leave M mode.
enter:
  li t0, 0x1888                   # MPP, MPIE, MIE
  csrc mstatus, t0
  slli a3, a3, 11
  csrs mstatus, a3
  csrw mepc, a2
  csrw satp, zero
  fence.i
  sfence.vma
  mret

# Until another hart starts this one.
wait_for_start:
  csrr s2, mhartid
  mv a0, s2
  call hart_area
  mv s1, a0
1:
  slli t1, s2, 2
  li t0, CLINT
  add t0, t0, t1
  sw zero, 0(t0)
  fence
  ld t1, STATE(s1)
  li t2, START_PENDING
  beq t1, t2, 2f
  wfi
  j 1b
2:
  ld a2, ADDRESS(s1)
  ld a1, OPAQUE(s1)
  li a3, 1
  mv a0, s2
  sd zero, SOFT(s1)
  ld t0, WANTED(s1)
  sd t0, DONE(s1)
  fence
  sd zero, STATE(s1)
  j enter

# a0 = hart id -> a0 = what is known of it. Changes t0.
hart_area:
  slli a0, a0, 6
  la t0, harts
  add a0, a0, t0
  ret

# a0 = device tree, a1 = address of what is next: RAM begins behind this program for whoever is next.
hide_memory:
  li t0, RAM
  li t1, HIDDEN
  add t0, t0, t1
  bltu a1, t0, 9f
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
  csrr s0, mhartid
  csrr t0, mcause
  bltz t0, interrupt
  li t1, 9
  bne t0, t1, defect
  csrr t1, mepc
  addi t1, t1, 4
  csrw mepc, t1
  call sbi_call
  sd a0, 64(sp)
  # Legacy calls return one value.
  ld t0, 120(sp)
  li t1, 16
  bltu t0, t1, restore
  sd a1, 72(sp)
restore:
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
  addi sp, sp, FRAME
  csrrw sp, mscratch, sp
  mret

interrupt:
  andi t0, t0, 63
  li t1, 7
  beq t0, t1, timer_interrupt
  li t1, 3
  bne t0, t1, defect
  slli t0, s0, 2
  li t1, CLINT
  add t0, t0, t1
  sw zero, 0(t0)
  fence
  mv a0, s0
  call hart_area
  addi t0, a0, SOFT
  amoswap.d t1, zero, (t0)
  beqz t1, 1f
  csrsi mip, 2
1:
  call do_fences
  j restore
timer_interrupt:
  li t0, 0x80
  csrc mie, t0
  li t0, 0x20
  csrs mip, t0
  j restore

# What others want this hart to have fenced. a0 = what is known of it. Changes t0.
do_fences:
  fence
  ld t0, WANTED(a0)
  fence.i
  sfence.vma
  fence
  sd t0, DONE(a0)
  ret

defect:
  la a0, defect_text
  call print
  li t0, FINISHER
  li t1, 0x13333
  sw t1, 0(t0)
  j park

# An SBI call: a7 = extension, a6 = function, a0 to a5 = arguments -> a0 = error, a1 = value. s0 = hart id.
sbi_call:
  li t0, 0x54494d45
  beq a7, t0, set_timer
  li t0, 0x735049
  beq a7, t0, ipi
  li t0, 0x52464e43
  beq a7, t0, rfence
  li t0, 0x10
  beq a7, t0, base
  li t0, 0x48534d
  beq a7, t0, hsm
  li t0, 0x53525354
  beq a7, t0, srst
  li t0, 0x4442434e
  beq a7, t0, dbcn
  li t0, 1
  beq a7, t0, put_byte
  li t0, 2
  beq a7, t0, get_byte
not_supported:
  li a0, -2
  li a1, 0
  ret
invalid_parameter:
  li a0, -3
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
6:
  ld a1, 0(t0)
  beqz a1, 7f
  addi t0, t0, 8
  bne a1, t1, 6b
  li a1, 1
7:
  ret

set_timer:
  bnez a6, not_supported
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

ipi:
  bnez a6, not_supported
  mv a4, ra
  call harts_of_mask
  mv ra, a4
  bltz a0, invalid_parameter
  mv s1, a0
  li s2, 0
1:
  beqz s1, success
  andi t0, s1, 1
  beqz t0, 2f
  mv a0, s2
  call hart_area
  addi t1, a0, SOFT
  li t2, 1
  amoor.d zero, t2, (t1)
  fence
  mv a0, s2
  call ring
2:
  srli s1, s1, 1
  addi s2, s2, 1
  mv ra, a4
  j 1b

# a0 = hart id: its M software interrupt. Changes t0, t1.
ring:
  slli t0, a0, 2
  li t1, CLINT
  add t0, t0, t1
  li t1, 1
  sw t1, 0(t0)
  ret

# a0 = mask, a1 = first hart or -1 for all -> a0 = mask of started harts; negative when it names one that cannot be.
harts_of_mask:
  li t0, -1
  bne a1, t0, 1f
  li a0, 0xffff
  j 2f
1:
  li t0, MAX_HARTS
  bgeu a1, t0, 8f
  sll t0, a0, a1
  srl t1, t0, a1
  bne t1, a0, 8f
  mv a0, t0
  li t0, MAX_HARTS
  srl t0, a0, t0
  bnez t0, 8f
2:
  la t0, harts
  li t1, 1
  li t2, 0
3:
  ld t3, STATE(t0)
  li t4, STOPPED
  beq t3, t4, 4f
  li t4, START_PENDING
  beq t3, t4, 4f
  or t2, t2, t1
4:
  slli t1, t1, 1
  addi t0, t0, 64
  li t4, 0x10000
  bne t1, t4, 3b
  and a0, a0, t2
  ret
8:
  li a0, -1
  ret

rfence:
  li t0, 2
  bgtu a6, t0, not_supported
  mv a4, ra
  call harts_of_mask
  mv ra, a4
  bltz a0, invalid_parameter
  mv s1, a0
  mv s3, a0
  li s2, 0
1:                                # ask all
  beqz s1, 3f
  andi t0, s1, 1
  beqz t0, 2f
  beq s2, s0, 2f
  mv a0, s2
  call hart_area
  addi t1, a0, WANTED
  li t2, 1
  fence
  amoadd.d zero, t2, (t1)
  fence
  mv a0, s2
  call ring
2:
  srli s1, s1, 1
  addi s2, s2, 1
  j 1b
3:
  fence.i
  sfence.vma
  li s2, 0
4:                                # wait for all; two harts that fence each other must not wait for ever
  beqz s3, 7f
  andi t0, s3, 1
  beqz t0, 6f
  beq s2, s0, 6f
5:
  mv a0, s0
  call hart_area
  call do_fences
  mv a0, s2
  call hart_area
  fence
  ld t0, STATE(a0)
  li t1, STOPPED
  beq t0, t1, 6f
  ld t1, DONE(a0)
  ld t0, WANTED(a0)
  bltu t1, t0, 5b
6:
  srli s3, s3, 1
  addi s2, s2, 1
  j 4b
7:
  mv ra, a4
  j success

hsm:
  li t0, 1
  beq a6, t0, hart_stop
  li t0, 3
  beq a6, t0, hart_suspend
  bgtu a6, t0, not_supported
  li t0, MAX_HARTS
  bgeu a0, t0, invalid_parameter
  # A hart that is not there never took part in the lottery, but its CLINT register reads as zero and stays so.
  mv s2, a0
  mv a5, ra
  call hart_area
  mv ra, a5
  mv s1, a0
  ld t0, STATE(s1)
  li t1, 2
  bne a6, t1, hart_start
  li a0, 0
  mv a1, t0
  ret
hart_start:
  li t1, STOPPED
  bne t0, t1, 1f
  andi t0, a1, 1
  bnez t0, 2f
  sd a1, ADDRESS(s1)
  sd a2, OPAQUE(s1)
  fence
  li t0, START_PENDING
  sd t0, STATE(s1)
  fence
  mv a0, s2
  mv a5, ra
  call ring
  mv ra, a5
  j success
1:
  li a0, -6                       # already available
  li a1, 0
  ret
2:
  li a0, -5                       # invalid address
  li a1, 0
  ret
hart_stop:
  mv a0, s0
  call hart_area
  li t0, 8
  csrw mie, t0
  li t0, 0x22
  csrc mip, t0
  call do_fences
  li t0, STOPPED
  sd t0, STATE(a0)
  addi sp, sp, FRAME
  csrw mscratch, sp
  j wait_for_start
hart_suspend:
  bnez a0, not_supported
  # Whatever the supervisor enabled wakes it; the M interrupts of this hart do too and are taken on return.
  wfi
  j success

srst:
  bnez a6, not_supported
  li t0, 2
  bgtu a0, t0, invalid_parameter
  li t1, 0x7777
  bnez a0, 1f
  li t1, 0x5555
  beqz a1, 1f
  li t1, 0x13333
1:
  li t0, FINISHER
  sw t1, 0(t0)
  j park

dbcn:
  li t0, 2
  beq a6, t0, put_byte
  bgtu a6, t0, not_supported
  bnez a2, invalid_parameter
  li t0, RAM
  li t1, HIDDEN
  add t0, t0, t1
  bltu a1, t0, invalid_parameter
  li t0, UART
  mv t1, a0
  li a0, 0
  beqz a6, 3f
  li t2, 0
1:                                # read what is there
  beq t2, t1, 2f
  lbu t3, 5(t0)
  andi t3, t3, 1
  beqz t3, 2f
  lbu t3, 0(t0)
  sb t3, 0(a1)
  addi a1, a1, 1
  addi t2, t2, 1
  j 1b
2:
  mv a1, t2
  ret
3:                                # write all
  mv t2, t1
4:
  beqz t2, 6f
  lbu t3, 0(a1)
5:
  lbu t4, 5(t0)
  andi t4, t4, 0x20
  beqz t4, 5b
  sb t3, 0(t0)
  addi a1, a1, 1
  addi t2, t2, -1
  j 4b
6:
  mv a1, t1
  ret

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
defect_text:
  .asciz "Ascus SBI: trap that nobody expects\r\n"

.align 3
extensions:
  .dword 0x10, 0x54494d45, 0x735049, 0x52464e43, 0x48534d, 0x53525354, 0x4442434e, 1, 2, 0

lottery:
  .dword 0

has_stimecmp:
  .dword 0

.align 6
harts:
  .rept 16
  .dword STOPPED, 0, 0, 0, 0, 0, 0, 0
  .endr
