package org.ascus.devices.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.ascus.devices.fs.NameTree.Place;
import org.junit.jupiter.api.Test;

class NameTreeTest {
  private final NameTree tree = new NameTree(100);

  private static byte[] name(String text) {
    return text.getBytes();
  }

  private static String path(Place place) {
    return place.path().stream().map(String::new).collect(Collectors.joining("/"));
  }

  private Place place(String path) throws FileException {
    Place at = tree.root();
    for (String part : path.split("/")) {
      Place next = tree.below(at, name(part));
      tree.release(at);
      at = next;
    }
    return at;
  }

  @Test
  void whatLiesInAFolderMovesWithIt() throws FileException {
    Place file = place("a/b/c");
    Place replaced = place("x/y");
    Place a = place("a");
    Place x = place("x");
    tree.move(a, name("b"), x, name("y"));
    assertThat(path(file)).isEqualTo("x/y/c");
    assertThat(path(replaced)).isEqualTo("x/y");
    tree.move(x, name("y"), x, name("y"));
    assertThat(path(file)).isEqualTo("x/y/c");
    for (Place one : List.of(file, replaced, a, x)) {
      tree.release(one);
    }
    assertThat(tree.size()).isZero();
  }

  @Test
  void aFolderIsNeverMovedIntoItself() throws FileException {
    Place inner = place("a/b/c");
    Place root = tree.root();
    tree.move(root, name("a"), inner, name("d"));
    assertThat(path(inner)).isEqualTo("a/b/c");
  }

  @Test
  void placesAndDepthAreBounded() throws FileException {
    List<Place> held = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      held.add(place("n" + i));
    }
    assertThatThrownBy(() -> place("one more")).isInstanceOf(FileException.class);
    held.forEach(tree::release);
    assertThat(tree.size()).isZero();
    Place at = tree.root();
    byte[] longName = name("n".repeat(255));
    for (int i = 0; i < 16; i++) {
      at = tree.below(at, longName);
    }
    Place deepest = at;
    assertThatThrownBy(() -> tree.below(deepest, longName)).isInstanceOf(FileException.class);
    assertThatThrownBy(() -> tree.below(tree.root(), name("n".repeat(256)))).isInstanceOf(FileException.class);
    for (String bad : List.of("", ".", "..", "a/b", "/", "a\0")) {
      assertThatThrownBy(() -> tree.below(tree.root(), name(bad))).isInstanceOf(FileException.class);
      assertThat(NameTree.isName(name(bad))).isFalse();
    }
    assertThat(NameTree.isName(name("..."))).isTrue();
  }

  @Test
  void movesAtRandomLoseNoPlace() throws FileException {
    NameTree tree = new NameTree(10_000);
    Random random = new Random(3);
    List<Place> held = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      Place from = held.isEmpty() ? tree.root() : held.get(random.nextInt(held.size()));
      byte[] name = name("n" + random.nextInt(3));
      switch (random.nextInt(4)) {
        case 0, 1 -> {
          if (held.size() < 60 && from.path().size() < 20) {
            held.add(tree.below(from, name));
          }
        }
        case 2 -> {
          if (!held.isEmpty()) {
            tree.release(held.remove(random.nextInt(held.size())));
          }
        }
        default -> {
          Place to = held.isEmpty() ? from : held.get(random.nextInt(held.size()));
          tree.move(from, name, to, name("n" + random.nextInt(3)));
        }
      }
      if (random.nextInt(500) == 0) {
        held.forEach(tree::release);
        held.clear();
        assertThat(tree.size()).isZero();
      }
    }
  }
}
