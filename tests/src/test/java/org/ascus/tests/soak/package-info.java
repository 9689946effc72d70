/** What shows only after long: nothing here runs without the profile {@code soak}. */
package org.ascus.tests.soak;
