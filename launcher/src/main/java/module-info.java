/** The process: command line, monitor, terminal. */
module org.ascus.launcher {
  requires org.ascus.polyglot;
}
