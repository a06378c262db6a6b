<?php
// PHP: one request a line in, what a script reads a line out. Each request goes over a socket to PHP's own
// server, because only a server fills $_GET, $_POST and $_FILES. Arguments: the guarded names, the paths of members.
declare(strict_types=1);

if (PHP_SAPI === 'cli-server') {
    $body = file_get_contents('php://input');
    echo base64_encode(serialize([$_GET, $_POST, $_REQUEST, $_FILES, $_SERVER, $body]));
    return;
}

final class Server
{
    private int $port;
    /** @var resource */
    private $process;

    public function __construct()
    {
        $probe = stream_socket_server('tcp://127.0.0.1:0');
        $this->port = (int) substr(strrchr(stream_socket_get_name($probe, false), ':'), 1);
        fclose($probe);
        $settings = ['-d', 'display_errors=0', '-d', 'log_errors=0'];
        $command = [PHP_BINARY, ...$settings, '-S', "127.0.0.1:$this->port", __FILE__];
        $quiet = ['file', '/dev/null', 'w'];
        $this->process = proc_open($command, [['file', '/dev/null', 'r'], $quiet, $quiet], $pipes);
        register_shutdown_function(fn () => proc_terminate($this->process, 9));
        for ($try = 0; $try < 200; $try++) {
            if ($socket = @stream_socket_client("tcp://127.0.0.1:$this->port")) {
                fclose($socket);
                return;
            }
            usleep(50_000);
        }
        throw new RuntimeException('php -S does not answer');
    }

    /** $_GET, $_POST, $_REQUEST, $_FILES, $_SERVER and the body; null: the server refuses the request. */
    public function ask(array $request): ?array
    {
        $socket = stream_socket_client("tcp://127.0.0.1:$this->port");
        stream_set_timeout($socket, 5);
        $head = "$request[method] $request[target] HTTP/1.1\r\n";
        foreach ($request['headers'] as [$name, $value]) {
            $head .= "$name: $value\r\n";
        }
        $body = $request['body'] === null ? '' : base64_decode($request['body']);
        @fwrite($socket, "$head\r\n$body");
        $answer = stream_get_contents($socket);
        fclose($socket);
        [$status, $text] = explode("\r\n\r\n", $answer, 2) + ['', ''];
        return str_starts_with($status, 'HTTP/1.1 200 ') ? unserialize(base64_decode($text)) : null;
    }
}

/** Answers each line of stdin with what `$read` makes of it. */
function serve(callable $read): void
{
    $server = new Server();
    while (($line = fgets(STDIN)) !== false) {
        $request = json_decode($line, true);
        $seen = $server->ask($request);
        $answer = $seen === null ? ['methods' => [], 'reads' => [], 'refused' => 'by php -S'] : $read(...$seen);
        $flags = JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_UNESCAPED_SLASHES;
        fwrite(STDOUT, json_encode($answer, $flags) . "\n");
    }
}

if (realpath($_SERVER['SCRIPT_FILENAME']) !== __FILE__) {
    return;
}

$names = explode(',', $argv[1]);
$nested = explode(',', $argv[2]);
serve(function (array $get, array $post, array $both, array $files, array $server, string $body) use ($names, $nested) {
    $reads = [];
    $found = function (string $place, string $name, mixed $value) use (&$reads): void {
        if ($value !== null) {
            $reads[] = [$place, $name, $value];
        }
    };
    // A script that takes JSON decodes the body, whatever its type.
    $json = json_decode($body, true);
    foreach ($names as $name) {
        // What a script writes: a dot or a blank in a name is an underscore in PHP's arrays.
        $found('query', $name, $get[$name] ?? null);
        $found('merged', $name, $post[$name] ?? null);
        $found('merged', $name, $both[$name] ?? null);
        $found('json', $name, is_array($json) ? $json[$name] ?? null : null);
    }
    foreach ($nested as $path) {
        [$first, $second] = explode('.', $path);
        $inner = is_array($json) ? $json[$first] ?? null : null;
        $found('json', $path, is_array($inner) ? $inner[$second] ?? null : null);
    }
    // What scripts do that let a form name the method.
    $method = $server['REQUEST_METHOD'];
    $methods = [['header', strtoupper($server['HTTP_X_HTTP_METHOD_OVERRIDE'] ?? $method)]];
    foreach ([['query', $get], ['body', $post], ['body', $both]] as [$source, $parameters]) {
        $named = $parameters['_method'] ?? $method;
        $methods[] = [$source, is_string($named) ? strtoupper($named) : $method];
    }
    return ['methods' => $methods, 'reads' => $reads];
});
