package org.ascus.devices.security;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a peer may choose from in a TLS handshake: {@code priority=} of {@code -object tls-creds-...}, in the language
 * of GnuTLS's priority strings: a word for a set, then {@code :+NAME} and {@code :-NAME} (or {@code :!NAME}) for what
 * comes and goes. Names are those of protocol versions, ciphers, MACs and key exchanges; {@code -ALL} words empty a
 * category. What a name would switch on and is not there is an error, and so are groups, signatures and flags.
 */
public final class TlsPriority {
  /** The word for {@link #normal()}. */
  public static final String NORMAL = "NORMAL";

  private static final Set<String> VERSIONS = Set.of("VERS-TLS1.3", "VERS-TLS1.2");
  private static final Set<String> STRONG = Set.of("AES-256-GCM", "CHACHA20-POLY1305", "AES-256-CBC");
  private static final Set<String> LIGHT = Set.of("AES-128-GCM", "AES-128-CBC");
  private static final Set<String> MACS = Set.of("AEAD", "SHA1", "SHA256", "SHA384");
  private static final Set<String> SECRET_EXCHANGES = Set.of("ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA", "DHE-DSS");
  private static final Set<String> OTHER_EXCHANGES =
      Set.of("RSA", "ECDHE-PSK", "DHE-PSK", "PSK", "ANON-DH");
  /** Of GnuTLS, but never on here, so that it may be switched off. */
  private static final Pattern ABSENT =
      Pattern.compile(
          "VERS-(SSL3\\.0|TLS1\\.[01]|DTLS.*)|(AES|CAMELLIA)-(128|192|256)-(CBC|GCM|CCM|CCM-8)|3DES-CBC|ARCFOUR-.*"
              + "|MD5|SHA512|ANON-ECDH|RSA-PSK|RSA-EXPORT|SRP.*|GOST.*");
  /** Words for all of a category. */
  private static final Map<String, Pattern> CATEGORIES =
      Map.of(
          "VERS-ALL", Pattern.compile("VERS-.*"),
          "VERS-TLS-ALL", Pattern.compile("VERS-.*"),
          "CIPHER-ALL", Pattern.compile("(AES|CHACHA20)-.*"),
          "MAC-ALL", Pattern.compile("AEAD|SHA[0-9]+"),
          "KX-ALL", Pattern.compile("RSA|PSK|(ECDHE|DHE|ANON)-.*"));

  /** {@code TLS_EXCHANGE_WITH_CIPHER_HASH}, of version 1.2, or {@code TLS_CIPHER_HASH}. */
  private static final Pattern SUITE =
      Pattern.compile("TLS_(?:([A-Za-z0-9_]+)_WITH_)?([A-Z0-9_]+?)(?:_(SHA[0-9]*))?");

  private final Set<String> names = new HashSet<>();

  private TlsPriority() {}

  /** What everything starts from. */
  public static TlsPriority normal() {
    TlsPriority made = new TlsPriority();
    made.begin(NORMAL);
    return made;
  }

  /**
   * Reads a priority string.
   *
   * @param text as the user wrote it
   * @param always names that are on as well, as the kind of the credentials has it
   * @throws SecurityObjectException naming the word that means nothing
   */
  public static TlsPriority parse(String text, List<String> always) throws SecurityObjectException {
    TlsPriority made = new TlsPriority();
    String[] words = text.split(":", -1);
    if (!made.begin(words[0])) {
      throw unknown(text, words[0]);
    }
    for (int i = 1; i < words.length; i++) {
      if (!made.change(words[i])) {
        throw unknown(text, words[i]);
      }
    }
    made.names.addAll(always);
    return made;
  }

  private static SecurityObjectException unknown(String text, String word) {
    return new SecurityObjectException(
        "Unable to set TLS session priority " + text + ": '" + word + "' is not supported");
  }

  private boolean begin(String word) {
    names.addAll(VERSIONS);
    names.addAll(MACS);
    names.addAll(STRONG);
    names.addAll(SECRET_EXCHANGES);
    switch (word) {
      case NORMAL, "PERFORMANCE", "SECURE128" -> {
        names.addAll(LIGHT);
        names.add("RSA");
      }
      case "SECURE192", "SECURE256" -> names.add("RSA");
      case "PFS" -> names.addAll(LIGHT);
      case "NONE" -> names.clear();
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean change(String word) {
    if (word.length() < 2) {
      return false;
    }
    String name = word.substring(1);
    boolean known =
        VERSIONS.contains(name) || STRONG.contains(name) || LIGHT.contains(name) || MACS.contains(name)
            || SECRET_EXCHANGES.contains(name) || OTHER_EXCHANGES.contains(name);
    Pattern category = CATEGORIES.get(name);
    return switch (word.charAt(0)) {
      case '+' -> {
        if (category != null) {
          for (Set<String> all : List.of(VERSIONS, STRONG, LIGHT, MACS, SECRET_EXCHANGES, OTHER_EXCHANGES)) {
            all.stream().filter(category.asMatchPredicate()).forEach(names::add);
          }
          yield true;
        }
        if (known) {
          names.add(name);
        }
        // There is no other compression than none, and no other certificate than X.509.
        yield known || name.matches("COMP-(NULL|ALL)|CTYPE-(X509|X.509|ALL)");
      }
      case '-', '!' -> {
        names.removeIf(n -> category != null ? category.matcher(n).matches() : n.equals(name));
        yield known || category != null || ABSENT.matcher(name).matches();
      }
      default -> false;
    };
  }

  /** Whether a version, such as {@code TLSv1.3}, may be chosen. */
  public boolean allowsVersion(String version) {
    return names.contains("VERS-" + version.replace("TLSv", "TLS"));
  }

  /** Whether a cipher suite may be chosen, by its name in IANA's register. */
  public boolean allowsSuite(String suite) {
    Matcher parts = SUITE.matcher(suite);
    if (!parts.matches()) {
      return false;
    }
    String exchange = parts.group(1);
    String cipher = parts.group(2).replace('_', '-');
    String hash = parts.group(3);
    String mac = cipher.endsWith("CBC") ? "SHA".equals(hash) ? "SHA1" : hash : "AEAD";
    return names.contains(cipher) && names.contains(mac)
        && (exchange == null || names.contains(exchange.equals("DH_anon") ? "ANON-DH" : exchange.replace('_', '-')));
  }
}
