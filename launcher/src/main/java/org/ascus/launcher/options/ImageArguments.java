package org.ascus.launcher.options;

import java.util.List;
import java.util.Optional;
import org.ascus.devices.block.format.ImageOptions;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.Secret;

/** The options of the image tools that mean what they mean to a machine: {@code --object}, {@code --image-opts}. */
public final class ImageArguments {
  private final Draft draft = new Draft();

  /** @param objects arguments of {@code --object} */
  public ImageArguments(List<String> objects) throws OptionException {
    for (String object : objects) {
      try {
        ObjectArguments.object(draft, object);
      } catch (OptionException e) {
        throw e.in("--object", object);
      }
    }
  }

  /** What options of an image may name. */
  public Protocols.Objects objects() {
    return draft.security.objects();
  }

  /** Who may come in, by its id. */
  public Optional<Authorization> authorization(String id) {
    return Optional.ofNullable(draft.security.made().authorizations().get(id));
  }

  /** A secret by its id. */
  public Secret secret(String id) throws OptionException {
    return draft.security.secret(id);
  }

  /** An image that is described by {@code key=value} parts or a JSON object. */
  public ImageOptions image(String description) throws OptionException {
    return StorageArguments.image(draft, KeyValues.parseOrJson(description, ""));
  }
}
