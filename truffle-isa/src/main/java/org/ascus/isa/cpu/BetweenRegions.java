package org.ascus.isa.cpu;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Control passes through this method on its way from one region to the next: it deserves the best code there is. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface BetweenRegions {
  /** Whether the others have it inlined. */
  boolean inlined() default false;
}
