package mlpcuda.serve;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.WritePendingException;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.internal.HttpConnection;
import org.eclipse.jetty.util.Callback;

/**
 * A connection that tells {@link Client} when a request begins and when its lines are complete,
 * which Jetty tells nobody else, and that bounds the number of a request's headers, each of which
 * takes far more memory than the bytes it came in.
 */
final class ClientConnection extends HttpConnection {
  /** The most headers of a request, and the most trailers. */
  static final int MAX_HEADERS = 100;

  private final Clients clients;
  private final Client client;
  private volatile long bytesBefore;

  private ClientConnection(
      HttpConfiguration configuration, Connector connector, EndPoint endPoint, Clients clients) {
    super(configuration, connector, endPoint);
    this.clients = clients;
    var address = (InetSocketAddress) endPoint.getRemoteSocketAddress();
    this.client = new Client(address.getAddress(), this);
  }

  /** Makes these connections. */
  static final class Factory extends HttpConnectionFactory {
    private final Clients clients;

    Factory(HttpConfiguration configuration, Clients clients) {
      super(configuration);
      this.clients = clients;
    }

    @Override
    public Connection newConnection(Connector connector, EndPoint endPoint) {
      var connection = new ClientConnection(getHttpConfiguration(), connector, endPoint, clients);
      return configure(connection, connector, endPoint);
    }
  }

  Client client() {
    return client;
  }

  /** Notes the bytes of a request: its lines, and {@code body} bytes that its body takes. */
  void hold(int body) {
    clients.hold(
        client,
        (int) Math.min(getBytesIn() - bytesBefore, PredictionServer.MAX_HEADER_BYTES) + body);
  }

  /** Notes that a request has been answered and takes no memory any more. */
  void release() {
    bytesBefore = getBytesIn();
    clients.hold(client, 0);
    client.enter(Client.State.IDLE);
  }

  @Override
  public void onFillable() {
    super.onFillable();
    Client.Stay stay = client.stay();
    if (stay.state() == Client.State.IDLE && hasBegun()) {
      client.enter(Client.State.HEAD, stay);
    } else if (stay.state() == Client.State.HEAD) {
      hold(0);
    }
  }

  private boolean hasBegun() {
    return getBytesIn() > bytesBefore;
  }

  /** Calls the reader of a body, if it waits for bytes; a later call finds it if it does not. */
  void wakeReader() {
    onIdleExpired(new TimeoutException("the body was refused"));
  }

  /** Ends a connection whose request has not all of its lines yet. */
  void timeOut() {
    EndPoint endPoint = getEndPoint();
    if (hasBegun()) {
      try {
        endPoint.write(Callback.NOOP, ByteBuffer.wrap(Exchange.HEAD_TIME_OUT));
      } catch (WritePendingException e) {
        // The lines have been completed meanwhile, and their answer ends with the connection.
      }
    }
    endPoint.close();
  }

  @Override
  protected RequestHandler newRequestHandler() {
    return new RequestHandler() {
      private int headers;

      @Override
      public void messageBegin() {
        headers = 0;
        super.messageBegin();
      }

      @Override
      public void parsedHeader(HttpField field) {
        count();
        super.parsedHeader(field);
      }

      @Override
      public void parsedTrailer(HttpField field) {
        count();
        super.parsedTrailer(field);
      }

      private void count() {
        if (++headers > MAX_HEADERS) {
          throw new HttpException.RuntimeException(HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431);
        }
      }

      @Override
      public boolean headerComplete() {
        boolean complete = super.headerComplete();
        headers = 0; // trailers may follow
        client.enter(Client.State.WORK);
        return complete;
      }
    };
  }
}
