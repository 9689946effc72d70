package org.ascus.devices.security;

import java.security.AlgorithmParameters;
import java.security.NoSuchAlgorithmException;
import java.security.Provider;
import java.security.SecureRandom;
import java.security.Signature;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.bouncycastle.jcajce.util.DefaultJcaJceHelper;
import org.bouncycastle.jcajce.util.JcaJceHelper;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jsse.provider.BouncyCastleJsseProvider;
import org.bouncycastle.tls.crypto.impl.jcajce.JcaTlsCrypto;
import org.bouncycastle.tls.crypto.impl.jcajce.JcaTlsCryptoProvider;

/**
 * The TLS of servers that ask for certificates. Of version 1.3 the JDK's names in its CertificateRequest no signature
 * schemes but those of handshakes. {@code rsa_pkcs1_*}, which RFC 8446, section 4.2.3, lets stand there for what is in
 * certificates, is what GnuTLS knows by that RSA will do: a client that has it, as all of QEMU's have, keeps an RSA
 * certificate back when it does not read one of these. Bouncy Castle's names them.
 */
final class BouncyTls {
  /** It tells of every connection; what goes wrong comes as an exception. Held, as a level lasts as long as its log. */
  private static final Logger LOG = Logger.getLogger("org.bouncycastle.jsse.provider");

  static {
    LOG.setLevel(Level.OFF);
  }

  private BouncyTls() {}

  /** Its protocol above the JDK's ciphers. It is not installed for others to find. */
  static Provider provider() {
    return new BouncyCastleJsseProvider(false, new Ciphers());
  }

  private static final class Ciphers extends JcaTlsCryptoProvider {
    private final JcaJceHelper helper = new JdkFirst();

    @Override
    public JcaJceHelper getHelper() {
      return helper;
    }

    @Override
    public JcaTlsCrypto create(SecureRandom random) {
      // Without a source it asks for Bouncy Castle's, which is not installed.
      return super.create(random == null ? new SecureRandom() : random);
    }
  }

  /** The JDK's algorithms, and Bouncy Castle's where the JDK's have another name: RSA-PSS, without which is no 1.3. */
  private static final class JdkFirst extends DefaultJcaJceHelper {
    private final Provider other = new BouncyCastleProvider();

    @Override
    public Signature createSignature(String name) throws NoSuchAlgorithmException {
      try {
        return super.createSignature(name);
      } catch (NoSuchAlgorithmException e) {
        return Signature.getInstance(name, other);
      }
    }

    @Override
    public AlgorithmParameters createAlgorithmParameters(String name) throws NoSuchAlgorithmException {
      try {
        return super.createAlgorithmParameters(name);
      } catch (NoSuchAlgorithmException e) {
        return AlgorithmParameters.getInstance(name, other);
      }
    }
  }
}
