# Rack: one request a line in, what an application reads a line out. Arguments: the guarded names, the paths of
# members.
require "json"
require "stringio"
begin
  require "rack"
rescue LoadError
  warn "there is no rack"
  exit 3
end

NAMES = ARGV[0].split(",")
NESTED = ARGV[1].split(",")
OVERRIDDEN = Rack::MethodOverride.new(->(env) { [200, {}, [env["REQUEST_METHOD"]]] })

# The environment that a server hands over (the specification of Rack).
def environment(request)
  path, query = request["target"].split("?", 2)
  env = {
    "REQUEST_METHOD" => request["method"], "SCRIPT_NAME" => "", "PATH_INFO" => path,
    "QUERY_STRING" => query || "", "SERVER_NAME" => "localhost", "SERVER_PORT" => "80",
    "rack.url_scheme" => "http", "rack.errors" => StringIO.new,
    "rack.input" => StringIO.new((request["body"] || "").unpack1("m").b)
  }
  request["headers"].each do |name, value|
    key = name.upcase.tr("-", "_")
    key = "HTTP_#{key}" unless %w[CONTENT_TYPE CONTENT_LENGTH].include?(key)
    env[key] = value
  end
  env
end

def answer(request)
  reads = []
  refused = nil
  found = ->(place, name, value) { reads << [place, name, value] unless value.nil? }
  tried = lambda do |&read|
    read.call
  rescue StandardError => e
    refused = e.class.name
    nil
  end
  req = Rack::Request.new(environment(request))
  NAMES.each do |name|
    tried.call { found.call("query", name, req.GET[name]) }
    tried.call { found.call("merged", name, req.POST[name]) }
    tried.call { found.call("merged", name, req.params[name]) }
  end
  body = (request["body"] || "").unpack1("m")
  json = begin
    JSON.parse(body.force_encoding("UTF-8"))
  rescue StandardError
    nil
  end
  if json.is_a?(Hash)
    NAMES.each { |name| found.call("json", name, json[name]) }
    NESTED.each do |path|
      first, second = path.split(".")
      found.call("json", path, json[first][second]) if json[first].is_a?(Hash)
    end
  end
  method = tried.call { OVERRIDDEN.call(environment(request))[2].first }
  # Only a POST is overridden, by the header or by the form; never by the query.
  methods = method ? [["body", method]] : []
  refused = nil unless reads.empty? && methods.empty?
  { methods: methods, reads: reads, refused: refused }.compact
end

def plain(value)
  case value
  when String then value.dup.force_encoding("UTF-8").scrub("\u{fffd}")
  when Array then value.map { |v| plain(v) }
  when Hash then value.to_h { |k, v| [plain(k.to_s), plain(v)] }
  when Symbol then value.to_s
  when Numeric, true, false, nil then value
  else value.class.name
  end
end

$stdout.sync = true
$stdin.each_line { |line| $stdout.write(JSON.generate(plain(answer(JSON.parse(line)))) << "\n") }
