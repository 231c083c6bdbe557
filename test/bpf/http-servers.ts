// HTTP servers of several runtimes, as programs for their interpreters.
export const NODE_SERVER = (port: number) => `
  require('http').createServer((q, r) => r.end('hello ' + q.url))
    .listen(${port}, '127.0.0.1', () => console.log('ready'))`;

export const PYTHON_SERVER = (port: number) => `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '5')
        self.end_headers()
        self.wfile.write(b'hello')
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', ${port}), Handler)
print('ready', flush=True)
server.serve_forever()`;

export const NGINX = (port: number, upstream: number, directory: string) => `
daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  upstream backend { server 127.0.0.1:${upstream}; keepalive 4; }
  server { listen 127.0.0.1:${port}; location / {
    proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}`;
