package org.ascus.devices.virtio.net;

import java.util.EnumSet;
import java.util.Set;

/** Features that a property of the network device switches (VIRTIO 1.2, section 5.1.3). */
public enum NetFeature {
  CSUM("csum", 0, "Take frames whose checksum is not complete"),
  GUEST_CSUM("guest_csum", 1, "Give the driver frames whose checksum is not complete"),
  CTRL_GUEST_OFFLOADS("ctrl_guest_offloads", 2, "Let the driver change what it takes"),
  /** For legacy drivers. */
  GSO("gso", 6, "Take whatever can be segmented, as legacy drivers ask"),
  GUEST_TSO4("guest_tso4", 7, "Give the driver TCP over IPv4 in frames of up to 64 KiB"),
  GUEST_TSO6("guest_tso6", 8, "Give the driver TCP over IPv6 in frames of up to 64 KiB"),
  GUEST_ECN("guest_ecn", 9, "Such frames to the driver may have marks of congestion"),
  GUEST_UFO("guest_ufo", 10, "No network cuts UDP, so it is never offered"),
  HOST_TSO4("host_tso4", 11, "Take TCP over IPv4 in frames of up to 64 KiB"),
  HOST_TSO6("host_tso6", 12, "Take TCP over IPv6 in frames of up to 64 KiB"),
  HOST_ECN("host_ecn", 13, "Such frames of the driver may have marks of congestion"),
  HOST_UFO("host_ufo", 14, "No network cuts UDP, so it is never offered"),
  MRG_RXBUF("mrg_rxbuf", 15, "A frame may fill several of the guest's buffers"),
  STATUS("status", 16, "Tell whether the cable is plugged in"),
  CTRL_VQ("ctrl_vq", 17, "Offer the control queue"),
  CTRL_RX("ctrl_rx", 18, "Let the driver choose which frames it gets"),
  CTRL_VLAN("ctrl_vlan", 19, "Let the driver choose of which VLANs"),
  CTRL_RX_EXTRA("ctrl_rx_extra", 20, "Let the driver choose in more detail"),
  GUEST_ANNOUNCE("guest_announce", 21, "Ask the driver to say where it is after a move"),
  CTRL_MAC_ADDR("ctrl_mac_addr", 23, "Let the driver change its address");

  private final String property;
  private final long mask;
  private final String help;

  NetFeature(String property, int bit, String help) {
    this.property = property;
    this.mask = 1L << bit;
    this.help = help;
  }

  public String property() {
    return property;
  }

  public String help() {
    return help;
  }

  /** The feature's bit. */
  public long mask() {
    return mask;
  }

  /** All of them, which is what a device has unless told otherwise. */
  public static Set<NetFeature> all() {
    return EnumSet.allOf(NetFeature.class);
  }
}
