package mlpcuda.serve;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import mlpcuda.compute.Ops;
import mlpcuda.error.BadFileException;
import mlpcuda.net.MlpShape;
import mlpcuda.picture.Picture;
import mlpcuda.picture.PictureFile;
import mlpcuda.preparation.ImageForm;
import mlpcuda.preparation.Preparation;
import mlpcuda.preparation.Prepared;
import mlpcuda.train.AveragedPredictor;
import mlpcuda.train.ClassProbability;

/**
 * Recognises the pictures of requests by a network. Only the thread that opened the device may use
 * it. That thread also decodes the pictures, so that only one decoded picture at a time takes
 * memory.
 *
 * @param predictor runs the network on one image at a time
 * @param form the form of the images that the network takes
 * @param name the name of the network's file
 */
public record Recogniser(
    Ops ops, MlpShape shape, AveragedPredictor predictor, ImageForm form, String name)
    implements Responder {
  /** The greatest number of pixels of a picture. */
  static final int MAX_PIXELS = 4_000_000;

  /** The name of the picture in messages. */
  private static final String PICTURE = "picture";

  @Override
  public String page() {
    return "index.html";
  }

  @Override
  public byte[] description() {
    Map<String, Object> json = description(name, shape, form.labels());
    json.put("rows", form.rows());
    json.put("cols", form.cols());
    json.put("preparation", form.preparation().label());
    json.put("device", ops.description());
    return bytes(json);
  }

  /**
   * Recognises a picture and returns the answer as JSON.
   *
   * @param body a PNG, JPEG or PGM, or JSON with grey levels; the bytes may be changed
   * @param raw whether to use the pixels exactly as they are
   * @throws RefusedException if the body is not a picture, or the picture is blank, too large, or
   *     of the wrong size
   */
  @Override
  public byte[] answer(byte[] body, boolean raw) throws RefusedException {
    Prepared prepared = prepared(picture(body), raw);
    float[] logs = predictor.logProbabilities(prepared.pixels())[0];
    Map<String, Object> json = answer(logs, form.labels());
    json.put("preparation", (raw ? Preparation.AS_IS : form.preparation()).label());
    prepared.warning().ifPresent(warning -> json.put("warning", warning));
    json.put("rows", form.rows());
    json.put("cols", form.cols());
    json.put("pixels", Base64.getEncoder().encodeToString(prepared.pixels()));
    return bytes(json);
  }

  private static Picture picture(byte[] body) throws RefusedException {
    try {
      return PictureJson.isJson(body)
          ? PictureJson.parse(PICTURE, body)
          : PictureFile.parse(PICTURE, body, MAX_PIXELS);
    } catch (BadFileException e) {
      throw new RefusedException(400, e.getMessage());
    }
  }

  private Prepared prepared(Picture picture, boolean raw) throws RefusedException {
    try {
      return raw ? form.exactly(picture, "raw=true") : form.prepare(picture);
    } catch (BadFileException e) { // the picture has the wrong size, or is blank
      throw new RefusedException(422, e.getMessage());
    }
  }

  /** Describes a network, whatever it takes, as the beginning of a JSON object. */
  static Map<String, Object> description(String name, MlpShape shape, List<String> labels) {
    var json = new LinkedHashMap<String, Object>();
    json.put("model", name);
    json.put("layers", shape.toString());
    json.put("classes", shape.classes());
    if (!labels.isEmpty()) {
      json.put("labels", labels);
    }
    return json;
  }

  /**
   * Puts a network's answer into a JSON object.
   *
   * @param logs (C), logarithms of the probabilities
   * @param labels the names of the classes; empty where they have none but their numbers
   */
  static Map<String, Object> answer(float[] logs, List<String> labels) {
    double[] probabilities = new double[logs.length];
    for (int c = 0; c < logs.length; c++) {
      probabilities[c] = Math.exp(logs[c]);
    }
    Map<String, Object> json = ClassProbability.json(ClassProbability.likeliest(logs), labels);
    json.put("probabilities", probabilities);
    return json;
  }

  /** Writes maps, arrays, lists, texts and numbers as JSON, on one line. */
  static byte[] bytes(Object json) {
    try {
      return JSON.std.asBytes(json);
    } catch (IOException e) {
      throw new AssertionError("memory takes every byte", e);
    }
  }
}
