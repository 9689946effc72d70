/** Boards and devices. Never sees a guest CPU. */
module org.ascus.devices {
  requires com.fasterxml.jackson.core;
  requires com.github.luben.zstd_jni;
  requires transitive org.ascus.machine;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.codec.http;
  requires io.netty.common;
  requires io.netty.handler;
  requires io.netty.transport;
  requires org.bouncycastle.provider;
  requires org.bouncycastle.tls;
  // Netty, which has no module descriptor to say so, logs to it.
  requires java.logging;
  requires java.net.http;
  requires org.apache.sshd.osgi;
  requires org.apache.sshd.sftp;
  // The SSH library logs to it, and has no module descriptor to say so.
  requires org.slf4j;

  exports org.ascus.devices.block.crypto;
  exports org.ascus.devices.block.filter;
  exports org.ascus.devices.block.format;
  exports org.ascus.devices.block.format.foreign;
  exports org.ascus.devices.block.format.qcow2;
  exports org.ascus.devices.board.riscv;
  exports org.ascus.devices.block.http;
  exports org.ascus.devices.block.nbd;
  exports org.ascus.devices.block.protocol;
  exports org.ascus.devices.block.ssh;
  exports org.ascus.devices.block;
  exports org.ascus.devices.chardev;
  exports org.ascus.devices.chardev.socket;
  exports org.ascus.devices.dma;
  exports org.ascus.devices.fdt;
  exports org.ascus.devices.flash;
  exports org.ascus.devices.fs;
  exports org.ascus.devices.fs.p9;
  exports org.ascus.devices.fwcfg;
  exports org.ascus.devices.host;
  exports org.ascus.devices.input;
  exports org.ascus.devices.irqchip;
  exports org.ascus.devices.loader;
  exports org.ascus.devices.net.e1000e;
  exports org.ascus.devices.net.filter;
  exports org.ascus.devices.net.socket;
  exports org.ascus.devices.net.tap;
  exports org.ascus.devices.net.user;
  exports org.ascus.devices.net;
  exports org.ascus.devices.pci;
  exports org.ascus.devices.power;
  exports org.ascus.devices.rtc;
  exports org.ascus.devices.scsi;
  exports org.ascus.devices.security;
  exports org.ascus.devices.serial;
  exports org.ascus.devices.virtio.balloon;
  exports org.ascus.devices.virtio.blk;
  exports org.ascus.devices.virtio.console;
  exports org.ascus.devices.virtio.input;
  exports org.ascus.devices.virtio.net;
  exports org.ascus.devices.virtio.p9;
  exports org.ascus.devices.virtio.queue;
  exports org.ascus.devices.virtio.rng;
  exports org.ascus.devices.virtio.scsi;
  exports org.ascus.devices.virtio.transport.mmio;
  exports org.ascus.devices.virtio.transport.pci;
  exports org.ascus.devices.virtio.vsock;
  exports org.ascus.devices.virtio;

  provides org.ascus.machine.device.DeviceProvider with
      org.ascus.devices.loader.LoaderDevices,
      org.ascus.devices.net.e1000e.E1000eDevices,
      org.ascus.devices.pci.PciDevices,
      org.ascus.devices.virtio.VirtioDevices,
      org.ascus.devices.virtio.scsi.ScsiDevices;
}
