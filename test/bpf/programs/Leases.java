import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;

/**
 * A service with a fixed pool of threads. Every request makes one call with the JDK's client, whose
 * connections are pooled and written by threads of its own. The call's URL names the handler's thread.
 *
 * Leases PORT BACKEND: listens on PORT, calls BACKEND.
 */
public class Leases {
  static String threadId() throws Exception {
    return Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
  }

  public static void main(String[] args) throws Exception {
    String backend = "http://127.0.0.1:" + args[1] + "/call?thread=";
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    InetSocketAddress address = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
    HttpServer server = HttpServer.create(address, 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> {
      try {
        HttpRequest call = HttpRequest.newBuilder(URI.create(backend + threadId())).build();
        byte[] body = client.send(call, BodyHandlers.ofByteArray()).body();
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
      } catch (Exception failure) {
        exchange.sendResponseHeaders(500, -1);
      }
      exchange.close();
    });
    server.start();
    System.out.println("ready");
  }
}
