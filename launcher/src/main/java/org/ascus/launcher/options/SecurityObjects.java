package org.ascus.launcher.options;

import java.util.Map;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.TlsCredentials;

/** What {@code -object} made to guard channels, by id. */
public record SecurityObjects(
    Map<String, Secret> secrets, Map<String, TlsCredentials> credentials, Map<String, Authorization> authorizations) {
  public SecurityObjects {
    secrets = Map.copyOf(secrets);
    credentials = Map.copyOf(credentials);
    authorizations = Map.copyOf(authorizations);
  }
}
