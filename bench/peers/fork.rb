# Ruby, by the lecture's pattern.
require 'socket'

trap('CHLD') do
  loop { break unless Process.waitpid(-1, Process::WNOHANG) }
rescue Errno::ECHILD
end

listener = TCPServer.new('127.0.0.1', ARGV[0].to_i)
listener.listen(511)

loop do
  connection = listener.accept
  fork do
    listener.close
    loop { connection.write(connection.readpartial(65_536)) }
  rescue EOFError
    exit!
  end
  connection.close
end
