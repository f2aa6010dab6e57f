"""nginx, Apache, PHP-FPM, Node and nghttpd from their Debian packages, each from a folder of its
own on a loopback port."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import harness
import wire


def missing(*programs):
    """The sentence for a skip when one of the programs is not installed, else None."""
    absent = [p for p in programs if shutil.which(p) is None]
    return f'not installed: {", ".join(absent)}' if absent else None


class RealServer:
    """A server process in a session of its own (Apache ends its whole process group)."""

    scheme = 'http'

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='edgecase-real-')
        os.chmod(self.directory, 0o755)
        self.processes = []

    @property
    def url(self):
        return f'{self.scheme}://127.0.0.1:{self.port}'

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def start(self, argv, is_up):
        with open(self.path('output.log'), 'a') as log:
            process = harness.spawn(argv, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        if not wire.eventually(lambda: is_up() or process.poll() is not None, 20) or \
                process.poll() is not None:
            raise AssertionError(f'{argv[0]} did not come up: {self.said()}')

    def said(self):
        text = ''
        for name in ('output.log', 'error.log'):
            if os.path.exists(self.path(name)):
                with open(self.path(name), errors='replace') as file:
                    text += file.read()[-2000:]
        return text

    def listens(self):
        try:
            socket.create_connection(('127.0.0.1', self.port), 1).close()
            return True
        except OSError:
            return False

    def workers(self, process=None):
        """The pids of the children of the server process."""
        pid = (process or self.processes[-1]).pid
        with open(f'/proc/{pid}/task/{pid}/children') as file:
            return [int(word) for word in file.read().split()]

    def kill_workers(self):
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Nginx(RealServer):
    """`locations` is the inside of its server block; DIR stands for its folder. `tls`: it speaks
    TLS with that certificates.Leaf, and what else its `listen` line shall say, such as `http2`."""

    def __init__(self, locations, tls=None, listen=''):
        super().__init__()
        self.port = harness.free_port()
        self.scheme = 'https' if tls else 'http'
        if tls:
            listen = 'ssl ' + listen
            locations += f'ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};'
        paths = ' '.join(f'{kind}_temp_path {self.path(kind)};'
                         for kind in ('client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'))
        self.write('nginx.conf', f'''
daemon off;
user root;
worker_processes 1;
error_log {self.path('error.log')} info;
pid {self.path('pid')};
events {{ worker_connections 256; }}
http {{
  access_log off;
  log_format ray '$remote_addr - - [$time_local] "$request" $status $body_bytes_sent '
                 '"$http_referer" "$http_user_agent" $request_time $http_cf_ray $pid';
  default_type text/plain;
  {paths}
  server {{
    listen 127.0.0.1:{self.port} {listen};
    {locations.replace('DIR', self.directory)}
  }}
}}
''')

    def up(self):
        self.start(['nginx', '-c', self.path('nginx.conf'), '-e', self.path('error.log')],
                   self.listens)
        return self


class PhpBehindNginx(Nginx):
    """nginx hands every path to the script `script.php`, run by PHP-FPM."""

    def __init__(self, script, pool=''):
        super().__init__('''
location / {
  include /etc/nginx/fastcgi_params;
  fastcgi_param SCRIPT_FILENAME DIR/script.php;
  fastcgi_pass unix:DIR/fpm.sock;
  fastcgi_buffering off;
}''')
        self.write('script.php', '<?php ' + script)
        self.write('fpm.conf', f'''
[global]
daemonize = no
error_log = {self.path('error.log')}
[www]
listen = {self.path('fpm.sock')}
user = root
group = root
pm = static
pm.max_children = 1
php_admin_value[output_buffering] = 0
php_admin_value[implicit_flush] = 1
php_admin_flag[display_errors] = off
{pool}
''')

    def up(self):
        self.start(['php-fpm8.2', '-y', self.path('fpm.conf'), '-R'],
                   lambda: os.path.exists(self.path('fpm.sock')))
        return super().up()


class Apache(RealServer):
    """Serves one CGI script as `/cgi/SCRIPT_NAME`, with a `Timeout` of one second."""

    def __init__(self, script_name, script):
        super().__init__()
        self.port = harness.free_port()
        modules = '/usr/lib/apache2/modules'
        self.write(f'cgi/{script_name}', '#!/bin/sh\n' + script, 0o755)
        self.write('httpd.conf', f'''
ServerRoot {self.directory}
DefaultRuntimeDir {self.directory}
PidFile {self.path('pid')}
ServerName origin.test
Listen 127.0.0.1:{self.port}
ErrorLog {self.path('error.log')}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule cgi_module {modules}/mod_cgi.so
User www-data
Group www-data
StartServers 2
Timeout 1
KeepAliveTimeout 2
ScriptAlias /cgi/ {self.directory}/cgi/
<Location /cgi/>
Require all granted
</Location>
''')

    def up(self):
        self.start(['apache2', '-f', self.path('httpd.conf'), '-DFOREGROUND'], self.listens)
        return self


class Node(RealServer):
    """Runs `script`, in which PORT is the port to listen on and `server` the http.Server to
    define."""

    def __init__(self, script):
        super().__init__()
        self.port = harness.free_port()
        self.write('server.js', "const http = require('http');\n" + script +
                   f"\nserver.listen({self.port}, '127.0.0.1');\n")

    def up(self):
        self.start(['node', self.path('server.js')], self.listens)
        return self


class NodeHttp2(Node):
    """Runs `script` over TLS with the certificate `tls`: `files` is what a secure server needs."""

    scheme = 'https'

    def __init__(self, script, tls):
        super().__init__(f"""const http2 = require('http2'), fs = require('fs');
const files = {{key: fs.readFileSync({tls.key!r}), cert: fs.readFileSync({tls.certificate!r})}};
""" + script)


class ApacheHttp2(RealServer):
    """Serves its folder `files` over TLS, by HTTP/2 if the client wants it."""

    scheme = 'https'

    def __init__(self, tls, more=''):
        super().__init__()
        self.port = harness.free_port()
        modules = '/usr/lib/apache2/modules'
        self.write('files/hello.txt', 'hello')
        loads = '\n'.join(f'LoadModule {name}_module {modules}/mod_{name}.so'
                          for name in ('mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'http2'))
        self.write('httpd.conf', f"""
ServerRoot {self.directory}
DefaultRuntimeDir {self.directory}
PidFile {self.path('pid')}
ServerName localhost
Listen 127.0.0.1:{self.port}
ErrorLog {self.path('error.log')}
{loads}
User www-data
Group www-data
SSLEngine on
SSLCertificateFile {tls.certificate}
SSLCertificateKeyFile {tls.key}
Protocols h2 http/1.1
DocumentRoot {self.directory}/files
{more}
<Directory {self.directory}/files>
Require all granted
</Directory>
""")

    def up(self):
        self.start(['apache2', '-f', self.path('httpd.conf'), '-DFOREGROUND'], self.listens)
        return self


class Nghttpd(RealServer):
    """Serves its folder by HTTP/2 over TLS; `options` are words of its command line."""

    scheme = 'https'

    def __init__(self, tls, *options):
        super().__init__()
        self.port = harness.free_port()
        self.tls, self.options = tls, options
        self.write('files/hello.txt', 'hello')

    def up(self):
        self.start(['nghttpd', '-a', '127.0.0.1', '-d', self.path('files'), *self.options,
                    str(self.port), self.tls.key, self.tls.certificate], self.listens)
        return self


class Gunicorn(RealServer):
    """Runs `application`, the body of a WSGI function of `environ` and `start_response`; `options`
    are words of its command line."""

    def __init__(self, application, *options):
        super().__init__()
        self.port = harness.free_port()
        self.options = options
        body = '\n'.join('    ' + line for line in application.strip().split('\n'))
        self.write('site_app.py', f'import os, time\ndef app(environ, start_response):\n{body}\n')

    def up(self):
        self.start(['gunicorn', '--chdir', self.directory, '-b', f'127.0.0.1:{self.port}',
                    *self.options, 'site_app:app'], self.listens)
        return self


class Caddy(RealServer):
    """`site` is the inside of its one site block."""

    def __init__(self, site):
        super().__init__()
        self.port = harness.free_port()
        self.write('Caddyfile', f'{{\n  admin off\n  auto_https off\n}}\n'
                                f'http://127.0.0.1:{self.port} {{\n{site}\n}}\n')

    def up(self):
        os.environ.setdefault('HOME', self.directory)
        self.start(['caddy', 'run', '--config', self.path('Caddyfile'), '--adapter', 'caddyfile'],
                   self.listens)
        return self


class Haproxy(RealServer):
    """Passes everything on to `backend_port`."""

    def __init__(self, backend_port):
        super().__init__()
        self.port = harness.free_port()
        self.write('haproxy.cfg', f'''
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend all
  bind 127.0.0.1:{self.port}
  default_backend one
backend one
  server one 127.0.0.1:{backend_port}
''')

    def up(self):
        self.start(['haproxy', '-db', '-f', self.path('haproxy.cfg')], self.listens)
        return self
