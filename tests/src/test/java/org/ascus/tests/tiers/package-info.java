/**
 * Every tier has the same state as the interpreter at the same instruction count: registers, control and status
 * registers, devices and memory. What is tested with guest programs of a few lines is in truffle-isa.
 */
package org.ascus.tests.tiers;
