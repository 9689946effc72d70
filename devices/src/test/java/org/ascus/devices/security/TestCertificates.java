package org.ascus.devices.security;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/** A certificate authority with a server and clients. */
public final class TestCertificates {
  private static final X500Name AUTHORITY = new X500Name("CN=test authority");

  private final Path dir;
  private final KeyPair authority;
  private int serial;

  public TestCertificates(Path dir) throws IOException, GeneralSecurityException {
    this.dir = dir;
    this.authority = keys("EC");
    write("ca", authority, AUTHORITY,
        new Extension(Extension.basicConstraints, true, encoded(new BasicConstraints(true))));
    issue("server", "localhost");
  }

  private static KeyPair keys(String kind) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(kind);
    if (kind.equals("EC")) {
      generator.initialize(new ECGenParameterSpec("secp256r1"));
    }
    return generator.generateKeyPair();
  }

  /** As PKCS#8. The JDK leaves the public point of an elliptic curve out, without which GnuTLS takes no key. */
  private static byte[] encoded(KeyPair keys) throws IOException {
    PrivateKeyInfo info = PrivateKeyInfo.getInstance(keys.getPrivate().getEncoded());
    if (keys.getPrivate() instanceof ECPrivateKey secret) {
      SubjectPublicKeyInfo shown = SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded());
      var whole = new org.bouncycastle.asn1.sec.ECPrivateKey(256, secret.getS(), shown.getPublicKeyData(), null);
      info = new PrivateKeyInfo(info.getPrivateKeyAlgorithm(), whole);
    }
    return info.getEncoded();
  }

  private static byte[] encoded(ASN1Encodable value) throws IOException {
    return value.toASN1Primitive().getEncoded();
  }

  /** Makes {@code name-cert.pem} and {@code name-key.pem}. */
  public void issue(String name, String commonName) throws IOException, GeneralSecurityException {
    issue(name, commonName, "EC");
  }

  /** As above, for a key of a kind, {@code EC} or {@code RSA}. */
  public void issue(String name, String commonName, String kind) throws IOException, GeneralSecurityException {
    GeneralName[] names =
        {new GeneralName(GeneralName.dNSName, "localhost"), new GeneralName(GeneralName.iPAddress, "127.0.0.1")};
    write(name, keys(kind), new X500Name("O=Test,CN=" + commonName),
        new Extension(Extension.subjectAlternativeName, false, encoded(new GeneralNames(names))));
  }

  private void write(String name, KeyPair keys, X500Name subject, Extension extension)
      throws IOException, GeneralSecurityException {
    AlgorithmIdentifier algorithm = new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
    Instant now = Instant.now();
    V3TBSCertificateGenerator content = new V3TBSCertificateGenerator();
    content.setSerialNumber(new ASN1Integer(BigInteger.valueOf(++serial)));
    content.setSignature(algorithm);
    content.setIssuer(AUTHORITY);
    content.setStartDate(new Time(Date.from(now.minus(Duration.ofHours(1)))));
    content.setEndDate(new Time(Date.from(now.plus(Duration.ofDays(2)))));
    content.setSubject(subject);
    content.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()));
    content.setExtensions(new Extensions(extension));
    TBSCertificate certificate = content.generateTBSCertificate();
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(authority.getPrivate());
    signature.update(certificate.getEncoded());
    ASN1Encodable[] parts = {certificate, algorithm, new DERBitString(signature.sign())};
    write(name + "-cert.pem", "CERTIFICATE", new DERSequence(parts).getEncoded());
    write(name + "-key.pem", "PRIVATE KEY", encoded(keys));
  }

  private void write(String file, String what, byte[] content) throws IOException {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    Files.writeString(dir.resolve(file), "-----BEGIN " + what + "-----\n" + text + "\n-----END " + what + "-----\n");
  }

  /** A folder in which {@code name} is the client. */
  public Path client(String name) throws IOException {
    Path folder = Files.createDirectories(dir.resolve("of-" + name));
    for (List<String> pair : List.of(List.of("ca-cert.pem", "ca-cert.pem"),
        List.of(name + "-cert.pem", "client-cert.pem"), List.of(name + "-key.pem", "client-key.pem"))) {
      Files.copy(dir.resolve(pair.get(0)), folder.resolve(pair.get(1)), StandardCopyOption.REPLACE_EXISTING);
    }
    return folder;
  }

  public Path folder() {
    return dir;
  }
}
