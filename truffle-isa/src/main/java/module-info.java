/** Guest CPUs as Truffle languages: the ISA-neutral framework and one package an ISA. */
module org.ascus.isa {
  requires transitive org.ascus.machine;
  requires org.graalvm.truffle;
  requires org.graalvm.polyglot;

  exports org.ascus.isa.asm;
  exports org.ascus.isa.decode;
  exports org.ascus.isa.profile;
  exports org.ascus.isa.riscv;
  exports org.ascus.isa.table;

  provides com.oracle.truffle.api.provider.TruffleLanguageProvider with
      org.ascus.isa.riscv.RiscvLanguageProvider;
}
