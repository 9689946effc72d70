package org.ascus.launcher.options;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An option's argument as a JSON object, which says the same as {@code key=value} parts: members of an object within
 * are {@code object.member}, elements of an array {@code array.0}, and true is {@code on}.
 */
final class JsonArgument {
  private final Map<String, String> values = new LinkedHashMap<>();

  private JsonArgument() {}

  static Map<String, String> read(String text) throws OptionException {
    JsonArgument result = new JsonArgument();
    try (JsonParser parser = new JsonFactory().createParser(text)) {
      parser.nextToken();
      result.object(parser, "");
      if (parser.nextToken() != null) {
        throw new OptionException("JSON parse error, text after the object");
      }
    } catch (JsonProcessingException e) {
      throw new OptionException("JSON parse error at column " + e.getLocation().getColumnNr());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return result.values;
  }

  private void object(JsonParser parser, String prefix) throws IOException, OptionException {
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = prefix + parser.currentName();
      parser.nextToken();
      value(parser, name);
    }
  }

  private void array(JsonParser parser, String prefix) throws IOException, OptionException {
    for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
      value(parser, prefix + i);
    }
  }

  private void value(JsonParser parser, String name) throws IOException, OptionException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      object(parser, name + ".");
    } else if (token == JsonToken.START_ARRAY) {
      array(parser, name + ".");
    } else if (token == JsonToken.VALUE_NULL && name.equals("backing")) {
      values.put(name, "");
    } else if (token == JsonToken.VALUE_NULL) {
      throw new OptionException("Invalid parameter type for '" + name + "', expected: string");
    } else {
      boolean bool = token.isBoolean();
      String text = bool ? parser.getBooleanValue() ? "on" : "off" : parser.getText();
      if (values.put(name, text) != null) {
        throw new OptionException("JSON parse error, duplicate key '" + name + "'");
      }
    }
  }
}
