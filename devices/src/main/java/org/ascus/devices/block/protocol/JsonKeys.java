package org.ascus.devices.block.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.ascus.devices.block.BlockException;

/**
 * A JSON object that says the same as {@code key=value} parts: members of an object within are {@code object.member},
 * elements of an array {@code array.0}, and true is {@code on}.
 */
public final class JsonKeys {
  private static final int MOST_KEYS = 1000;

  private final Map<String, String> values = new LinkedHashMap<>();

  private JsonKeys() {}

  /** Reads an object and nothing else. The map is the caller's to change. */
  public static Map<String, String> read(String text) throws BlockException {
    JsonKeys result = new JsonKeys();
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new BlockException("JSON parse error, expecting an object");
      }
      result.object(parser, "");
      if (parser.nextToken() != null) {
        throw new BlockException("JSON parse error, text after the object");
      }
    } catch (JsonProcessingException e) {
      throw new BlockException("JSON parse error at column " + e.getLocation().getColumnNr(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return result.values;
  }

  private void object(JsonParser parser, String prefix) throws IOException, BlockException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = prefix + parser.currentName();
      parser.nextToken();
      value(parser, name);
    }
  }

  private void array(JsonParser parser, String prefix) throws IOException, BlockException {
    for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
      value(parser, prefix + i);
    }
  }

  private void value(JsonParser parser, String name) throws IOException, BlockException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      object(parser, name + ".");
    } else if (token == JsonToken.START_ARRAY) {
      array(parser, name + ".");
    } else if (token == JsonToken.VALUE_NULL && name.equals("backing")) {
      values.put(name, "");
    } else if (token == JsonToken.VALUE_NULL) {
      throw new BlockException("Invalid parameter type for '" + name + "', expected: string");
    } else {
      boolean bool = token.isBoolean();
      String text = bool ? parser.getBooleanValue() ? "on" : "off" : parser.getText();
      if (values.put(name, text) != null) {
        throw new BlockException("JSON parse error, duplicate key '" + name + "'");
      }
      if (values.size() > MOST_KEYS) {
        throw new BlockException("JSON parse error, more than " + MOST_KEYS + " values");
      }
    }
  }
}
