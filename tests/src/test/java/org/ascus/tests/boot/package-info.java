/** Tests that boot real kernels. */
package org.ascus.tests.boot;
