# A demonstration that needs no kernel. Runs in M mode at the start of RAM of the board virt; a1 = device tree.

.equ UART, 0x10000000
.equ FINISHER, 0x100000
.equ RAM, 0x80000000
.equ STACK, 0x80010000
.equ END_OF_INPUT, 4

_start:
  csrr t0, mhartid
  bnez t0, park
  li sp, STACK
  mv s0, a1
  la a0, greeting
  call print

  # misa: a bit for each letter; all single-letter extensions in alphabetical order.
  la a0, isa_text
  call print
  csrr s1, misa
  li s2, 0
1:
  srl t0, s1, s2
  andi t0, t0, 1
  beqz t0, 2f
  addi a0, s2, 'a'
  call put
2:
  addi s2, s2, 1
  li t0, 26
  bne s2, t0, 1b

  la a0, ram_text
  call print
  mv a0, s0
  call ram_size
  srli a0, a0, 20
  call decimal
  la a0, time_text
  call print
  li t0, 0x200bff8                # mtime, 10 MHz
  ld a0, 0(t0)
  li t0, 10000
  divu a0, a0, t0
  call decimal
  la a0, invitation
  call print

# What is typed comes back; a line end gets a new prompt.
echo:
  la a0, prompt
  call print
1:
  li t0, UART
2:
  lbu t1, 5(t0)
  andi t1, t1, 1
  beqz t1, 2b
  lbu s3, 0(t0)
  li t0, END_OF_INPUT
  beq s3, t0, finish
  li t0, 13
  beq s3, t0, 3f
  li t0, 10
  beq s3, t0, 3f
  li t0, 127
  beq s3, t0, 4f
  mv a0, s3
  call put
  j 1b
3:
  la a0, line_end
  call print
  j echo
4:
  la a0, rubout
  call print
  j 1b

finish:
  la a0, farewell
  call print
  li t0, FINISHER
  li t1, 0x5555
  sw t1, 0(t0)
park:
  wfi
  j park

# a0 = character. Changes t0, t1.
put:
  li t0, UART
1:
  lbu t1, 5(t0)
  andi t1, t1, 0x20
  beqz t1, 1b
  sb a0, 0(t0)
  ret

# a0 = text that ends with a zero.
print:
  mv t2, a0
  mv t3, ra
1:
  lbu a0, 0(t2)
  beqz a0, 2f
  call put
  addi t2, t2, 1
  j 1b
2:
  mv ra, t3
  ret

# a0 = unsigned number, shown in decimal.
decimal:
  addi sp, sp, -32
  sd ra, 24(sp)
  addi t2, sp, 22
  sb zero, 0(t2)
  li t0, 10
1:
  remu t1, a0, t0
  addi t1, t1, '0'
  addi t2, t2, -1
  sb t1, 0(t2)
  divu a0, a0, t0
  bnez a0, 1b
  mv a0, t2
  call print
  ld ra, 24(sp)
  addi sp, sp, 32
  ret

# a0 = device tree -> a0 = bytes of RAM: the size in the property of 16 bytes that begins with the address of RAM.
ram_size:
  mv t6, ra
  addi t0, a0, 4
  call load_be
  add t2, a0, t1
  addi t0, a0, 8
  call load_be
  add t3, a0, t1
1:
  addi t4, t3, 28
  bgtu t4, t2, 9f
  mv t0, t3
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
  addi t0, t3, 20
  call load_be
  slli a0, t1, 32
  addi t0, t3, 24
  call load_be
  or a0, a0, t1
  mv ra, t6
  ret
2:
  addi t3, t3, 4
  j 1b
9:
  li a0, 0
  mv ra, t6
  ret

# t0 = address -> t1 = 32 bits there, big-endian. Changes t5.
load_be:
  lbu t1, 0(t0)
  slli t1, t1, 8
  lbu t5, 1(t0)
  or t1, t1, t5
  slli t1, t1, 8
  lbu t5, 2(t0)
  or t1, t1, t5
  slli t1, t1, 8
  lbu t5, 3(t0)
  or t1, t1, t5
  ret

greeting:
  .asciz "\r\nHello from a RISC-V machine that Ascus emulates.\r\n\r\n"
isa_text:
  .asciz "  extensions   rv64"
ram_text:
  .asciz "\r\n  memory       "
time_text:
  .asciz " MiB\r\n  running for  "
invitation:
  .asciz " ms\r\n\r\nType something; Ctrl-D ends the machine, Ctrl-a h lists the keys of the terminal.\r\n"
prompt:
  .asciz "> "
line_end:
  .asciz "\r\n"
rubout:
  .byte 8, 32, 8, 0
farewell:
  .asciz "\r\nGood bye.\r\n"
