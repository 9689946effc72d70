package org.ascus.launcher.options;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.ascus.devices.fs.FolderOptions;
import org.ascus.polyglot.DeviceOptions;
import org.ascus.polyglot.HostObject;

/** {@code -fsdev} and {@code -virtfs}: folders of the host that guests mount. */
final class FolderArguments {
  private static final String MODELS =
      Arrays.stream(FolderOptions.Model.values())
          .map(FolderOptions.Model::label)
          .collect(Collectors.joining("|", "security_model=[", "]"));
  private static final int MOST_MODE = 0777;

  private FolderArguments() {}

  static void fsdev(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "fsdriver");
    if (kv.asksForHelp()) {
      draft.answer("Available fsdev drivers:\nlocal\n");
      return;
    }
    String driver = kv.take("fsdriver").orElse("");
    String id = kv.take("id").orElse("");
    if (id.isEmpty()) {
      throw new OptionException("fsdev: No id specified");
    }
    add(draft, "-fsdev " + argument, driver, id, kv);
  }

  static void virtfs(Draft draft, String argument) throws OptionException {
    KeyValues kv = KeyValues.parse(argument, "fsdriver");
    String driver = kv.take("fsdriver").orElse("");
    Optional<String> tag = kv.take("mount_tag");
    if (driver.isEmpty() || tag.isEmpty()) {
      throw new OptionException("Usage: -virtfs fsdriver,mount_tag=tag");
    }
    String id = kv.take("id").orElse(tag.get());
    String option = "-virtfs " + argument;
    add(draft, option, driver, id, kv);
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("fsdev", id);
    properties.put("mount_tag", tag.get());
    draft.devices.add(new DeviceOptions(option, "virtio-9p-pci", "", properties));
  }

  private static void add(Draft draft, String option, String driver, String id, KeyValues kv) throws OptionException {
    if (!driver.equals("local")) {
      throw new OptionException("fsdev: fsdriver " + driver + " not found");
    }
    if (draft.objects.stream().anyMatch(o -> o instanceof HostObject.Folder && o.id().equals(id))) {
      throw new OptionException("Duplicate ID '" + id + "' for fsdev");
    }
    FolderOptions folder = options(kv);
    kv.expectEmpty();
    draft.objects.add(new HostObject.Folder(option, id, folder));
  }

  private static FolderOptions options(KeyValues kv) throws OptionException {
    Optional<String> model = kv.take("security_model");
    if (model.isEmpty()) {
      throw new OptionException("security_model property not set; valid options are: " + MODELS);
    }
    Path path = Path.of(kv.take("path").orElseThrow(() -> new OptionException("path property not set")));
    FolderOptions.Devices multidevs =
        switch (kv.takeOneOf("multidevs", "remap", "forbid", "warn").orElse("warn")) {
          case "remap" -> FolderOptions.Devices.REMAP;
          case "forbid" -> FolderOptions.Devices.FORBID;
          default -> FolderOptions.Devices.WARN;
        };
    FolderOptions.Model kept = model(model.get());
    boolean readOnly = kv.takeSwitch("readonly", false);
    int fileMode = mode(kv, "fmode", kept, FolderOptions.DEFAULT_FILE_MODE);
    int folderMode = mode(kv, "dmode", kept, FolderOptions.DEFAULT_FOLDER_MODE);
    return new FolderOptions(path, kept, readOnly, fileMode, folderMode, multidevs);
  }

  private static FolderOptions.Model model(String text) throws OptionException {
    // The older name of the first of the mapped models.
    String label = text.equals("mapped") ? FolderOptions.Model.MAPPED_XATTR.label() : text;
    return Arrays.stream(FolderOptions.Model.values())
        .filter(m -> m.label().equals(label))
        .findFirst()
        .orElseThrow(
            () -> new OptionException("invalid security_model property '" + text + "'; valid options are: " + MODELS));
  }

  /** Permission bits: octal with a leading 0, as in C. */
  private static int mode(KeyValues kv, String key, FolderOptions.Model model, int otherwise) throws OptionException {
    if (kv.has(key) && !model.isMapped()) {
      throw new OptionException(key + " is only valid for mapped security modes");
    }
    return (int) kv.takeNumber(key, 0, MOST_MODE).orElse(otherwise);
  }
}
