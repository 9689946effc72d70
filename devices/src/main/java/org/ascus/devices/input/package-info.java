/** What a person does at a machine: keys and pointers, by the names and numbers of Linux's input layer. */
package org.ascus.devices.input;
