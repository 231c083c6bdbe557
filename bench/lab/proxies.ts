import type { Service } from './scenario.js';

type Ports = Readonly<Record<string, number>>;

/** nginx with one worker; a location per path prefix. */
export function nginxConfig(scratch: string, service: Service, ports: Ports): string {
  const name = `${scratch}/${service.name}`;
  const routes = Object.entries(service.upstreams ?? {});
  const upstreams = new Set(routes.map(([, to]) => to));
  return `daemon off; master_process on; worker_processes 1; error_log ${name}.log warn; pid ${name}.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 2048; }
http {
  access_log off; client_body_temp_path ${name}-b; proxy_temp_path ${name}-p;
  fastcgi_temp_path ${name}-f; uwsgi_temp_path ${name}-u; scgi_temp_path ${name}-s;
  keepalive_requests 1000000;
  ${[...upstreams].map((to) => `upstream ${to} { server 127.0.0.1:${ports[to]} max_fails=0; keepalive 64; keepalive_requests 1000000; }`).join('\n  ')}
  server { listen 127.0.0.1:${ports[service.name]} backlog=1024;
    proxy_http_version 1.1; proxy_set_header Connection "";
    ${routes.map(([prefix, to]) => `location ${prefix} { proxy_pass http://${to}; }`).join('\n    ')}
  }
}
`;
}

/** HAProxy with a thread per processor; a backend per path prefix. */
export function haproxyConfig(service: Service, ports: Ports): string {
  const routes = Object.entries(service.upstreams ?? {});
  const upstreams = new Set(routes.map(([, to]) => to));
  return `global
  maxconn 4096
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 120s
  timeout server 120s
frontend users
  bind 127.0.0.1:${ports[service.name]}
${routes.map(([prefix, to]) => `  use_backend ${to} if { path_beg ${prefix} }`).join('\n')}
${[...upstreams].map((to) => `backend ${to}\n  server ${to} 127.0.0.1:${ports[to]}`).join('\n')}
`;
}
