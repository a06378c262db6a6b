<?php
// Laravel: what Illuminate's Request::capture() makes of what PHP's own server hands over. Arguments as in php.php.
declare(strict_types=1);

require __DIR__ . '/php.php';
if (PHP_SAPI === 'cli-server') {
    return;
}
if (!@include 'Illuminate/autoload.php') {
    fwrite(STDERR, "there is no Illuminate\n");
    exit(3);
}

/** php://input as the server has it: here it would be this program's. */
final class Input
{
    public static string $body = '';
    public $context;
    private int $at = 0;

    public function stream_open(string $path): bool
    {
        return $path === 'php://input';
    }

    public function stream_read(int $count): string
    {
        $read = substr(self::$body, $this->at, $count);
        $this->at += strlen($read);
        return $read;
    }

    public function stream_eof(): bool
    {
        return $this->at >= strlen(self::$body);
    }

    public function stream_stat(): array
    {
        return [];
    }
}

$names = explode(',', $argv[1]);
$nested = explode(',', $argv[2]);
serve(function (array $get, array $post, array $both, array $files, array $server, string $body) use ($names, $nested) {
    [$_GET, $_POST, $_REQUEST, $_FILES, $_COOKIE] = [$get, $post, $both, [], []];
    $kept = $_SERVER;
    $_SERVER = $server;
    Input::$body = $body;
    stream_wrapper_unregister('php');
    stream_wrapper_register('php', Input::class);
    try {
        $request = Illuminate\Http\Request::capture();
        $methods = [['body', $request->getMethod()]];
        $reads = [];
        $found = function (string $place, string $name, mixed $value) use (&$reads): void {
            if ($value !== null) {
                $reads[] = [$place, $name, $value];
            }
        };
        foreach ($names as $name) {
            $found('query', $name, $request->query($name));
            $found('merged', $name, $request->input($name));
            $found('merged', $name, $request->post($name));
            if (!str_contains($name, '.')) {
                $found('merged', $name, $request->get($name));
            }
            $found('json', $name, $request->isJson() ? $request->json($name) : null);
        }
        foreach ($nested as $path) {
            $found('json', $path, $request->isJson() ? $request->json($path) : null);
        }
        return ['methods' => $methods, 'reads' => $reads];
    } catch (Throwable $refused) {
        return ['methods' => [], 'reads' => [], 'refused' => $refused->getMessage()];
    } finally {
        stream_wrapper_restore('php');
        $_SERVER = $kept;
    }
});
