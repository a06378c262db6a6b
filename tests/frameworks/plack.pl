# Plack: one request a line in, what an application reads a line out. Arguments: the guarded names, the paths of
# members.
use strict;
use warnings;
use MIME::Base64 qw(decode_base64);
use JSON::PP;
BEGIN { eval { require Plack::Request; 1 } or do { print STDERR "there is no Plack\n"; exit 3 } }

my @names  = split /,/, $ARGV[0];
my @nested = split /,/, $ARGV[1];
# A module of its own, which not every system has.
my $override = eval { require Plack::Middleware::MethodOverride; 1 };
my $method_of = sub { [200, [], [$_[0]{REQUEST_METHOD}]] };
$method_of = Plack::Middleware::MethodOverride->wrap($method_of) if $override;
my $coder = eval { require Cpanel::JSON::XS; Cpanel::JSON::XS->new } || JSON::PP->new;
$coder->utf8->canonical->allow_nonref;

# The environment that a server hands over (PSGI).
sub environment {
    my ($request) = @_;
    my ($path, $query) = split /\?/, $request->{target}, 2;
    my $body = defined $request->{body} ? decode_base64($request->{body}) : '';
    open my $input, '<', \$body or die;
    my %env = (
        REQUEST_METHOD => $request->{method}, SCRIPT_NAME => '', PATH_INFO => $path,
        REQUEST_URI => $request->{target}, QUERY_STRING => $query // '', SERVER_NAME => 'localhost',
        SERVER_PORT => 80, SERVER_PROTOCOL => 'HTTP/1.1', 'psgi.version' => [1, 1], 'psgi.url_scheme' => 'http',
        'psgi.input' => $input, 'psgi.errors' => *STDERR, 'psgi.multithread' => 0, 'psgi.multiprocess' => 0,
        'psgi.run_once' => 0, 'psgi.nonblocking' => 0, 'psgi.streaming' => 1,
    );
    for (@{$request->{headers}}) {
        my ($name, $value) = @$_;
        (my $key = uc $name) =~ tr/-/_/;
        $key = "HTTP_$key" unless $key eq 'CONTENT_TYPE' || $key eq 'CONTENT_LENGTH';
        $env{$key} = $value;
    }
    if (exists $env{HTTP_TRANSFER_ENCODING}) {
        $env{'psgix.input.buffered'} = 1;
        $env{CONTENT_LENGTH} = length $body;
    }
    return (\%env, $body);
}

sub answer {
    my ($request) = @_;
    my ($env, $body) = environment($request);
    my (@reads, $refused);
    my $plack = Plack::Request->new($env);
    my %places = (query => 'query_parameters', form => 'body_parameters', merged => 'parameters');
    for my $place (sort keys %places) {
        my $call = $places{$place};
        my $parameters = eval { $plack->$call } or do { $refused = "$place: $@"; next };
        my $told = $place eq 'query' ? 'query' : 'merged';
        for my $name (@names) {
            my @all = $parameters->get_all($name);
            push @reads, [$told, $name, \@all] if @all;
            my $last = $parameters->{$name};
            push @reads, [$told, $name, $last] if defined $last;
        }
    }
    my $json = eval { $coder->decode($body) };
    if (ref $json eq 'HASH') {
        for my $name (@names) {
            push @reads, ['json', $name, $json->{$name}] if defined $json->{$name};
        }
        for my $path (@nested) {
            my ($first, $second) = split /\./, $path;
            my $inner = $json->{$first};
            push @reads, ['json', $path, $inner->{$second}] if ref $inner eq 'HASH' && defined $inner->{$second};
        }
    }
    my ($fresh) = environment($request);
    my $method = $override ? eval { $method_of->($fresh)->[2][0] } : undef;
    my %answer = (methods => defined $method ? [['query', $method]] : [], reads => \@reads);
    $answer{refused} = "$refused" if defined $refused && !@reads;
    return \%answer;
}

$| = 1;
while (my $line = <STDIN>) {
    print $coder->encode(answer($coder->decode($line))), "\n";
}
