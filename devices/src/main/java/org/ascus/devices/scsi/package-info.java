/** SCSI disks and CD drives: commands and what they answer, whatever bus they come by. */
package org.ascus.devices.scsi;
