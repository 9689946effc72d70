/** The process: command line, monitor, terminal. */
module org.ascus.launcher {
  requires com.fasterxml.jackson.core;
  requires org.ascus.polyglot;
}
