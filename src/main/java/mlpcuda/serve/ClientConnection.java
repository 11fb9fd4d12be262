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
 * A connection that notifies its {@link Client} when a request begins and when its headers are
 * complete, which Jetty reports to connections alone. The connection also limits the number of a
 * request's headers, because a header takes far more memory than its bytes on the wire.
 */
final class ClientConnection extends HttpConnection {
  /** The greatest number of headers of a request, and of trailers. */
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

  /** Creates the connections of a server. */
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

  /** Notes the memory of a request: its headers, and {@code body} bytes for its body. */
  void hold(int body) {
    clients.hold(
        client,
        (int) Math.min(getBytesIn() - bytesBefore, PredictionServer.MAX_HEADER_BYTES) + body);
  }

  /** Notes that a request was answered and no longer takes memory. */
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

  /** Wakes the reader of a body if the reader waits for bytes; otherwise a later call wakes it. */
  void wakeReader() {
    onIdleExpired(new TimeoutException("the body was refused"));
  }

  /** Closes a connection whose request is not complete up to its headers. */
  void timeOut() {
    EndPoint endPoint = getEndPoint();
    if (hasBegun()) {
      try {
        endPoint.write(Callback.NOOP, ByteBuffer.wrap(Exchange.HEAD_TIME_OUT));
      } catch (WritePendingException e) {
        // The headers were completed meanwhile, and the answer fails as the connection is closed.
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
        headers = 0; // trailers may follow the body
        client.enter(Client.State.WORK);
        return complete;
      }
    };
  }
}
