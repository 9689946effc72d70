package org.ascus.devices.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.filter.FilterNode;
import org.ascus.devices.block.protocol.FileProtocol;
import org.ascus.devices.virtio.VirtioDevices;
import org.ascus.machine.device.DeviceException;
import org.ascus.machine.device.Property;
import org.ascus.machine.device.PropertyValues;
import org.junit.jupiter.api.Test;

class DriveTest {
  private static final List<Property> PROPERTIES =
      List.of(new Property("write-cache", Property.Kind.STRING, "auto", ""));

  private int flushes;

  private BlockNode counted() throws BlockException {
    return new FilterNode(FileProtocol.temporary(4096)) {
      @Override
      public void flush() throws BlockException {
        flushes++;
        super.flush();
      }
    };
  }

  private int flushesOfWrites(Drive drive) throws BlockException {
    flushes = 0;
    drive.write(0, ByteBuffer.allocate(512));
    drive.write(512, new ByteBuffer[] {ByteBuffer.allocate(512)});
    drive.writeZeroes(0, 512, true);
    drive.discard(0, 512);
    drive.read(0, ByteBuffer.allocate(512));
    return flushes;
  }

  @Test
  void withWriteThroughEachWriteIsDurableAlsoOnTheNextMedium() throws Exception {
    try (Drive drive = new Drive("d", counted())) {
      assertThat(drive.writeThrough()).isFalse();
      assertThat(flushesOfWrites(drive)).isZero();
      drive.setWriteThrough(true);
      assertThat(flushesOfWrites(drive)).isEqualTo(4);
      drive.replace(Optional.of(counted()));
      assertThat(flushesOfWrites(drive)).isEqualTo(4);
    }
  }

  @Test
  void theDevicesWriteCacheIsStrongerThanTheDrives() throws Exception {
    try (Drive drive = new Drive("d", counted())) {
      for (String cache : List.of("off", "on", "off", "auto")) {
        VirtioDevices.setCache(drive, new PropertyValues("x", PROPERTIES, Map.of("write-cache", cache)));
        assertThat(drive.writeThrough()).as(cache).isEqualTo(!cache.equals("on"));
      }
      PropertyValues wrong = new PropertyValues("x", PROPERTIES, Map.of("write-cache", "maybe"));
      assertThatThrownBy(() -> VirtioDevices.setCache(drive, wrong)).isInstanceOf(DeviceException.class)
          .hasMessageContaining("'maybe'");
    }
  }
}
