package org.ascus.devices.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** A certificate authority with a server and clients, made by openssl. */
public final class TestCertificates {
  private final Path dir;

  public TestCertificates(Path dir) throws IOException, InterruptedException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "openssl is not installed");
    this.dir = dir;
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", "/CN=test authority", "-keyout", "ca-key.pem", "-out", "ca-cert.pem");
    issue("server", "localhost");
  }

  /** Makes {@code name-cert.pem} and {@code name-key.pem}. */
  public void issue(String name, String commonName) throws IOException, InterruptedException {
    Files.writeString(dir.resolve("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Test/CN=" + commonName,
        "-keyout", name + "-key.pem", "-out", name + ".csr");
    run("x509", "-req", "-in", name + ".csr", "-CA", "ca-cert.pem", "-CAkey", "ca-key.pem", "-CAcreateserial",
        "-days", "2", "-extfile", "ext", "-out", name + "-cert.pem");
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

  private void run(String... arguments) throws IOException, InterruptedException {
    var command = new java.util.ArrayList<String>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Path log = dir.resolve("log");
    Process process =
        new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor()).as(() -> read(log)).isZero();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
