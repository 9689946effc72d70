package org.ascus.launcher.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.devices.fs.FolderOptions.Devices;
import org.ascus.devices.fs.FolderOptions.Model;
import org.ascus.polyglot.HostObject;
import org.ascus.polyglot.MachineOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FolderArgumentsTest {
  private static MachineOptions machine(String... words) throws OptionException {
    var all = new java.util.ArrayList<>(List.of("-M", "virt"));
    all.addAll(List.of(words));
    return ((CommandLine.Launch) new CommandLine("ascus").parse(all.toArray(String[]::new))).options().machine();
  }

  private static FolderOptions folder(String... words) throws OptionException {
    return ((HostObject.Folder) machine(words).objects().getFirst()).folder();
  }

  @Test
  void everyOptionOfAFolderIsTaken() throws OptionException {
    assertThat(folder("-fsdev", "local,id=f,path=/srv,security_model=none"))
        .isEqualTo(new FolderOptions(Path.of("/srv"), Model.NONE, false, 0600, 0700, Devices.WARN));
    assertThat(
            folder(
                "-fsdev",
                "local,id=f,path=/srv,security_model=mapped,readonly=on,fmode=0640,dmode=0750,multidevs=remap"))
        .isEqualTo(new FolderOptions(Path.of("/srv"), Model.MAPPED_XATTR, true, 0640, 0750, Devices.REMAP));
  }

  @Test
  void virtfsIsAFolderAndADevice() throws OptionException {
    MachineOptions machine = machine("-virtfs", "local,path=/srv,mount_tag=t,security_model=mapped-file");
    assertThat(machine.objects().getFirst().id()).isEqualTo("t");
    assertThat(machine.devices().getFirst().driver()).isEqualTo("virtio-9p-pci");
    assertThat(machine.devices().getFirst().properties()).isEqualTo(Map.of("fsdev", "t", "mount_tag", "t"));
    assertThat(machine("-virtfs", "local,path=/,mount_tag=t,security_model=none,id=i").objects().getFirst().id())
        .isEqualTo("i");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "local,id=f,path=/tmp; security_model property not set",
        "local,id=f,path=/tmp,security_model=foo; invalid security_model property 'foo'",
        "local,id=f,security_model=none; path property not set",
        "local,path=/tmp,security_model=none; fsdev: No id specified",
        "synth,id=f; fsdev: fsdriver synth not found",
        "local,id=f,path=/tmp,security_model=none,fmode=0600; fmode is only valid for mapped security modes",
        "local,id=f,path=/tmp,security_model=mapped-file,dmode=99999; Parameter 'dmode' expects a number",
        "local,id=f,path=/tmp,security_model=none,multidevs=x; Parameter 'multidevs' expects one of",
        "local,id=f,path=/tmp,security_model=none,foo=1; Invalid parameter 'foo'"
      })
  void whatIsWrongIsNamed(String argument, String message) {
    assertThatThrownBy(() -> machine("-fsdev", argument))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining(message);
  }

  @Test
  void namesAndTagsMustBeThere() {
    String folder = "local,id=f,path=/tmp,security_model=none";
    assertThatThrownBy(() -> machine("-fsdev", folder, "-fsdev", folder))
        .hasMessageContaining("Duplicate ID 'f' for fsdev");
    assertThatThrownBy(() -> machine("-virtfs", folder)).hasMessageContaining("Usage: -virtfs");
  }
}
