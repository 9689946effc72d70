package org.ascus.launcher;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ascus.devices.chardev.CharBackend;
import org.ascus.devices.chardev.FileChardev;
import org.ascus.devices.chardev.MuxChardev;
import org.ascus.devices.chardev.NullChardev;
import org.ascus.devices.chardev.RingChardev;
import org.ascus.devices.chardev.StdioChardev;
import org.ascus.launcher.options.CharOptions;
import org.ascus.launcher.options.ChardevOptions;
import org.ascus.launcher.options.OptionException;

/** The host's ends of all byte channels of a machine, opened as they are asked for. */
final class Channels implements AutoCloseable {
  private final Map<String, ChardevOptions> named;
  private final MuxChardev.Control control;
  private final Map<String, CharBackend> opened = new LinkedHashMap<>();
  private final Map<String, MuxChardev> muxes = new LinkedHashMap<>();
  private final List<AutoCloseable> all = new ArrayList<>();

  /**
   * Nothing is opened yet.
   *
   * @param named channels by id
   * @param control what the multiplexer's keys do
   */
  Channels(Map<String, ChardevOptions> named, MuxChardev.Control control) {
    this.named = named;
    this.control = control;
  }

  /** A channel for one user of it, who is called {@code user}. */
  CharBackend open(CharOptions options, String user) throws OptionException {
    if (!(options instanceof CharOptions.Reference(String id))) {
      return make(options);
    }
    ChardevOptions chardev = named.get(id);
    if (chardev.mux()) {
      if (!muxes.containsKey(id)) {
        muxes.put(id, new MuxChardev(make(chardev.kind()), control));
      }
      return muxes.get(id).addFront(user);
    }
    if (!opened.containsKey(id)) {
      opened.put(id, make(chardev.kind()));
    }
    return opened.get(id);
  }

  /** Whether several users share the channel. */
  boolean isShared(CharOptions options) {
    return options instanceof CharOptions.Reference(String id) && named.get(id).mux();
  }

  private CharBackend make(CharOptions options) throws OptionException {
    CharBackend made =
        switch (options) {
          case CharOptions.None _, CharOptions.Null _ -> new NullChardev();
          case CharOptions.Stdio(boolean signals) -> new StdioChardev(signals);
          case CharOptions.File(var path, boolean append) -> {
            try {
              yield new FileChardev(path, append);
            } catch (IOException e) {
              throw new OptionException("file " + path + ": cannot be written: " + e.getClass().getSimpleName());
            }
          }
          case CharOptions.Ring(int size) -> RingChardev.of(size);
          case CharOptions.Reference(String id) -> throw new IllegalArgumentException("chardev " + id);
        };
    all.add(made::close);
    return made;
  }

  /** Writes out what is buffered and gives the terminal back. */
  @Override
  public void close() {
    muxes.values().forEach(MuxChardev::close);
    for (AutoCloseable channel : all) {
      try {
        channel.close();
      } catch (Exception e) {
        throw new IllegalStateException("channels throw nothing when they are closed", e);
      }
    }
  }
}
