package org.ascus.launcher.options;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.ascus.devices.block.BlockException;
import org.ascus.devices.block.protocol.Protocols;
import org.ascus.devices.host.HostErrors;
import org.ascus.devices.security.AnonymousCredentials;
import org.ascus.devices.security.Authorization;
import org.ascus.devices.security.Authorization.Rule;
import org.ascus.devices.security.PskCredentials;
import org.ascus.devices.security.Secret;
import org.ascus.devices.security.SecurityObjectException;
import org.ascus.devices.security.TlsCredentials;
import org.ascus.devices.security.TlsPriority;
import org.ascus.devices.security.X509Credentials;

/** The kinds of {@code -object} that guard channels: secrets, TLS credentials and authorization. */
final class SecurityArguments {
  /** Names of the kinds, with the help of each. */
  static final Map<String, String> KINDS = kinds();

  private final Map<String, Secret> secrets = new LinkedHashMap<>();
  private final Map<String, TlsCredentials> credentials = new LinkedHashMap<>();
  private final Map<String, Authorization> authorizations = new LinkedHashMap<>();

  private static Map<String, String> kinds() {
    Map<String, String> kinds = new LinkedHashMap<>();
    kinds.put("authz-list", "  policy=allow|deny, rules.N.match=, rules.N.format=exact|glob, rules.N.policy=\n");
    kinds.put("authz-listfile", "  filename=<string>      - JSON with the members of authz-list\n");
    kinds.put("authz-simple", "  identity=<string>      - Who may come in\n");
    kinds.put("secret", "  data=, file=, format=raw|base64, keyid=<secret>, iv=<base64>\n");
    String common = "  dir=<folder>, endpoint=server|client, verify-peer=on|off, priority=<GnuTLS priority>";
    kinds.put("tls-creds-anon", common + "\n");
    kinds.put("tls-creds-psk", common + ", username=<string>\n");
    kinds.put("tls-creds-x509", common + ", passwordid=<secret>\n");
    return kinds;
  }

  SecurityObjects made() {
    return new SecurityObjects(secrets, credentials, authorizations);
  }

  boolean has(String id) {
    return secrets.containsKey(id) || credentials.containsKey(id) || authorizations.containsKey(id);
  }

  /** Makes the object of {@code kind} that {@code kv} describes. */
  void make(String kind, String id, KeyValues kv) throws OptionException {
    try {
      switch (kind) {
        case "secret" -> secrets.put(id, secret(kv));
        case "tls-creds-x509", "tls-creds-psk", "tls-creds-anon" -> credentials.put(id, tls(kind, kv));
        case "authz-simple" -> authorizations.put(id, Authorization.simple(kv.require("identity")));
        case "authz-list" -> authorizations.put(id, list(kv));
        default -> authorizations.put(id, listFile(kv));
      }
    } catch (SecurityObjectException e) {
      throw new OptionException(e.getMessage());
    }
  }

  /** The secret that an option of an image names. */
  Secret secret(String id) throws OptionException {
    Secret found = secrets.get(id);
    if (found == null) {
      throw new OptionException("No secret with id '" + id + "'");
    }
    return found;
  }

  /** What options of an image may name. */
  Protocols.Objects objects() {
    return new Protocols.Objects() {
      @Override
      public TlsCredentials credentials(String id) throws BlockException {
        if (!credentials.containsKey(id)) {
          throw new BlockException("No TLS credentials with id '" + id + "'");
        }
        return credentials.get(id);
      }

      @Override
      public Secret secret(String id) throws BlockException {
        if (!secrets.containsKey(id)) {
          throw new BlockException("No secret with id '" + id + "'");
        }
        return secrets.get(id);
      }
    };
  }

  private Secret byId(String property, String id) throws OptionException {
    Secret found = secrets.get(id);
    if (found == null) {
      throw new OptionException("No secret with id '" + id + "' for '" + property + "'");
    }
    return found;
  }

  private Secret secret(KeyValues kv) throws OptionException, SecurityObjectException {
    boolean base64 = kv.takeOneOf("format", "raw", "base64").orElse("raw").equals("base64");
    Optional<String> keyId = kv.take("keyid");
    Optional<Secret> key = keyId.isEmpty() ? Optional.empty() : Optional.of(byId("keyid", keyId.get()));
    return Secret.read(
        new Secret.Source(kv.take("data"), kv.take("file").map(Path::of), base64, key, kv.take("iv")));
  }

  private TlsCredentials tls(String kind, KeyValues kv) throws OptionException, SecurityObjectException {
    boolean server = kv.takeOneOf("endpoint", "server", "client").orElse("client").equals("server");
    Optional<Path> folder = kv.take("dir").map(Path::of);
    String priority = kv.take("priority").orElse(TlsPriority.NORMAL);
    boolean verify = kv.takeSwitch("verify-peer", true);
    if (kind.equals("tls-creds-anon")) {
      return new AnonymousCredentials(folder, server, TlsPriority.parse(priority, List.of("ANON-DH")));
    }
    Path dir = folder.orElseThrow(() -> new OptionException("Missing 'dir' property value"));
    if (kind.equals("tls-creds-psk")) {
      TlsPriority choice = TlsPriority.parse(priority, List.of("ECDHE-PSK", "DHE-PSK", "PSK"));
      return PskCredentials.read(dir, server, kv.take("username"), choice);
    }
    Optional<String> passwordId = kv.take("passwordid");
    Optional<Secret> password =
        passwordId.isEmpty() ? Optional.empty() : Optional.of(byId("passwordid", passwordId.get()));
    return X509Credentials.read(dir, server, verify, password, TlsPriority.parse(priority, List.of()));
  }

  private static boolean allows(KeyValues kv, String key) throws OptionException {
    return kv.takeOneOf(key, "allow", "deny").orElse("deny").equals("allow");
  }

  private static Authorization list(KeyValues kv) throws OptionException {
    boolean otherwise = allows(kv, "policy");
    List<Rule> rules = new ArrayList<>();
    for (Optional<String> match = kv.take("rules.0.match"); match.isPresent(); ) {
      String prefix = "rules." + rules.size() + ".";
      boolean glob = kv.takeOneOf(prefix + "format", "exact", "glob").orElse("exact").equals("glob");
      rules.add(new Rule(match.get(), glob, allows(kv, prefix + "policy")));
      match = kv.take("rules." + rules.size() + ".match");
    }
    return Authorization.list(rules, otherwise);
  }

  private static Authorization listFile(KeyValues kv) throws OptionException {
    String file = kv.require("filename");
    kv.takeSwitch("refresh", false);
    try {
      KeyValues content = KeyValues.parseOrJson(Files.readString(Path.of(file)).strip(), "");
      Authorization result = list(content);
      content.expectEmpty();
      return result;
    } catch (IOException e) {
      throw new OptionException("Unable to read '" + file + "': " + HostErrors.reason(e));
    } catch (OptionException e) {
      throw new OptionException("'" + file + "': " + e.getMessage());
    }
  }
}
