/** Whole machines, started as a user starts them, with programs, kernels and firmware that were not made for Ascus. */
package org.ascus.tests;
