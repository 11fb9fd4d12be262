package mlpcuda.serve;

/** A network that answers the requests of a server. */
public interface Responder extends PictureQueue.Answering {
  /** Describes the network as JSON. */
  byte[] description();

  /** The name of the page that asks the network. */
  String page();
}
