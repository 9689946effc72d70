import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleHashesAttribute;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.spi.ToolProvider;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Links a Java runtime that has Graal's compiler as a system module: {@code java RuntimeImage.java LIB WORK IMAGE}.
 *
 * <p>On a stock JDK the compiler must replace an empty placeholder by {@code --upgrade-module-path}, which switches
 * class data sharing and the AOT cache off and costs half a second a start. In an image of its own it needs no
 * replacing. The running JDK's modules are taken apart and packed again without the hashes that bind {@code java.base}
 * to the placeholder, and linked with the Maven artifact.
 *
 * <p>LIB holds the launcher's jars, and the compiler's in LIB/compiler. WORK is filled with some 200 MB that may go
 * afterwards. IMAGE must not exist.
 */
final class RuntimeImage {
  private static final String COMPILER = "jdk.graal.compiler";

  private final Path jdk = Path.of(System.getProperty("java.home"));
  private final Path runtimeModules = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/modules");
  private final ModuleFinder system = ModuleFinder.ofSystem();
  private final Path work;

  private RuntimeImage(Path work) {
    this.work = work;
  }

  /** Links the image, see the class. */
  public static void main(String[] args) throws IOException {
    Path lib = Path.of(args[0]);
    new RuntimeImage(Path.of(args[1])).link(ModuleFinder.of(lib, lib.resolve("compiler")), Path.of(args[2]));
  }

  private void link(ModuleFinder jars, Path image) throws IOException {
    Set<String> fromJars = closure(List.of(COMPILER), jars);
    Set<String> needed =
        jars.findAll().stream().flatMap(module -> required(module.descriptor())).collect(Collectors.toSet());
    Set<String> fromJdk = closure(needed.stream().filter(name -> jars.find(name).isEmpty()).toList(), system);
    Path jmods = Files.createDirectories(work.resolve("jmods"));
    for (String module : fromJdk) {
      pack(module, jmods);
    }
    String path =
        Stream.concat(Stream.of(jmods), fromJars.stream().map(name -> location(jars.find(name).orElseThrow())))
            .map(Path::toString)
            .collect(Collectors.joining(":"));
    var all = new TreeSet<>(fromJdk);
    all.addAll(fromJars);
    // That plugin would generate classes that are in java.base already, from when the JDK was linked.
    tool("jlink", "--disable-plugin", "generate-jli-classes", "--module-path", path,
        "--add-modules", String.join(",", all), "--output", image.toString());
  }

  /** The modules of the finder reachable from the given ones, which are among them where the finder has them. */
  private static Set<String> closure(Collection<String> from, ModuleFinder finder) {
    var reached = new TreeSet<String>();
    Deque<String> todo = new ArrayDeque<>(from);
    while (!todo.isEmpty()) {
      String name = todo.pop();
      finder
          .find(name)
          .filter(module -> reached.add(name))
          .ifPresent(module -> required(module.descriptor()).forEach(todo::push));
    }
    return reached;
  }

  private static Stream<String> required(ModuleDescriptor module) {
    return module.requires().stream()
        .filter(requires -> !requires.modifiers().contains(Requires.Modifier.STATIC))
        .map(Requires::name);
  }

  private static Path location(ModuleReference module) {
    return Path.of(module.location().orElseThrow());
  }

  /** Packs a module of the running JDK; java.base gets all of the JDK's native libraries and its configuration. */
  private void pack(String module, Path jmods) throws IOException {
    Path classes = work.resolve("classes").resolve(module);
    copy(runtimeModules.resolve(module), classes);
    var arguments = new ArrayList<>(List.of("create", "--class-path", classes.toString()));
    if (module.equals("java.base")) {
      Path libs = work.resolve("lib");
      copy(jdk.resolve("lib"), libs);
      Path commands = Files.createDirectories(work.resolve("bin"));
      Files.copy(jdk.resolve("bin/java"), commands.resolve("java"), StandardCopyOption.REPLACE_EXISTING);
      arguments.addAll(List.of("--libs", libs.toString(), "--cmds", commands.toString()));
      arguments.addAll(List.of("--config", jdk.resolve("conf").toString()));
    }
    arguments.add(jmods.resolve(module + ".jmod").toString());
    tool("jmod", arguments.toArray(String[]::new));
  }

  private static void copy(Path from, Path to) throws IOException {
    List<Path> files;
    try (Stream<Path> walk = Files.walk(from)) {
      files = walk.filter(Files::isRegularFile).filter(file -> !isLeftOut(from.relativize(file).toString())).toList();
    }
    for (Path file : files) {
      Path target = to.resolve(from.relativize(file).toString());
      Files.createDirectories(target.getParent());
      if (file.endsWith("module-info.class")) {
        Files.write(target, withoutHashes(Files.readAllBytes(file)));
      } else {
        Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  /** What jlink generates anew, and files of the JDK's lib folder that belong to the JDK as it was linked. */
  private static boolean isLeftOut(String file) {
    return file.startsWith("jdk/internal/module/SystemModules$")
        || file.endsWith(".jsa")
        || Set.of("modules", "src.zip", "ct.sym", "jrt-fs.jar", "classlist").contains(file);
  }

  private static byte[] withoutHashes(byte[] moduleInfo) {
    ClassFile format = ClassFile.of();
    return format.transformClass(
        format.parse(moduleInfo),
        (builder, element) -> {
          if (!(element instanceof ModuleHashesAttribute)) {
            builder.with(element);
          }
        });
  }

  private static void tool(String name, String... arguments) throws IOException {
    int status = ToolProvider.findFirst(name).orElseThrow().run(System.out, System.err, arguments);
    if (status != 0) {
      throw new IOException(name + " failed with status " + status);
    }
  }
}
