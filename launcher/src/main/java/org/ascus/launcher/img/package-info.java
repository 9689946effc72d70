/** {@code ascus-img}: the image tool, with qemu-img's commands, options, outputs and exit codes. */
package org.ascus.launcher.img;
