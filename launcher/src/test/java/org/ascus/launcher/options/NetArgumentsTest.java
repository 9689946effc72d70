package org.ascus.launcher.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import org.ascus.devices.net.socket.StreamAddress;
import org.ascus.devices.net.user.GuestForward;
import org.ascus.devices.net.user.HostForward;
import org.ascus.devices.net.user.IpAddress;
import org.ascus.devices.net.user.UserNetOptions;
import org.ascus.polyglot.MachineOptions;
import org.ascus.polyglot.NetdevOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NetArgumentsTest {
  private static MachineOptions machine(String... words) throws OptionException {
    var all = new java.util.ArrayList<>(List.of("-M", "virt"));
    all.addAll(List.of(words));
    return ((CommandLine.Launch) new CommandLine("ascus").parse(all.toArray(String[]::new))).options().machine();
  }

  private static UserNetOptions user(String rest) throws OptionException {
    NetdevOptions netdev = machine("-netdev", "user,id=n" + rest).netdevs().getFirst();
    assertThat(netdev.id()).isEqualTo("n");
    return ((NetdevOptions.User) netdev).network();
  }

  @Test
  void nothingSaidIsTheUsualNetwork() throws OptionException {
    assertThat(user("")).isEqualTo(UserNetOptions.DEFAULT);
    assertThat(machine().netdevs()).isEmpty();
    assertThat(machine("-nic", "none").devices()).isEmpty();
  }

  @Test
  void addressesFollowFromTheNetworkUnlessSaid() throws OptionException {
    UserNetOptions.Network4 n = user(",net=10.5.0.0/16,dhcpstart=10.5.1.1").ipv4().orElseThrow();
    assertThat(n.prefix()).isEqualTo(16);
    assertThat(n.host()).isEqualTo(IpAddress.parse("10.5.0.2"));
    assertThat(n.dns()).isEqualTo(IpAddress.parse("10.5.0.3"));
    assertThat(n.dhcpStart()).isEqualTo(IpAddress.parse("10.5.1.1"));
    assertThat(user(",net=192.168.7.9/255.255.255.0").ipv4().orElseThrow().base())
        .isEqualTo(IpAddress.parse("192.168.7.0"));
    UserNetOptions six = user(",ipv4=off,ipv6-net=fd00:1::/64,ipv6-host=fd00:1::9");
    assertThat(six.ipv4()).isEmpty();
    assertThat(six.ipv6().orElseThrow().host()).isEqualTo(IpAddress.parse("fd00:1::9"));
    assertThat(six.ipv6().orElseThrow().dns()).isEqualTo(IpAddress.parse("fd00:1::3"));
    UserNetOptions.Network6 small = user(",ipv6-prefix=fd00:1:2:3:4::,ipv6-prefixlen=80").ipv6().orElseThrow();
    assertThat(small.host()).isEqualTo(IpAddress.parse("fd00:1:2:3:4::2"));
    assertThat(small.contains(IpAddress.parse("fd00:1:2:3:4:5::1"))).isTrue();
    assertThat(small.contains(IpAddress.parse("fd00:1:2:3:5::1"))).isFalse();
    UserNetOptions.Network6 large = user(",ipv6-net=fd00:1:2::/48").ipv6().orElseThrow();
    assertThat(large.contains(IpAddress.parse("fd00:1:2:ffff::1"))).isTrue();
    assertThat(large.contains(IpAddress.parse("fd00:1:3::1"))).isFalse();
  }

  @Test
  void rulesMayBeGivenSeveralTimes() throws OptionException {
    UserNetOptions o =
        user(",hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:53,hostfwd=tcp:[::1]:80-[fec0::5]:80"
            + ",guestfwd=tcp:10.0.2.100:7-cmd:tr 'a b' c,dnssearch=a,dnssearch=b,restrict=yes");
    assertThat(o.hostForwards())
        .extracting(HostForward::toString)
        .containsExactly("tcp::2222-:22", "udp:127.0.0.1:53-10.0.2.15:53", "tcp:[0:0:0:0:0:0:0:1]:80-"
            + "[fec0:0:0:0:0:0:0:5]:80");
    assertThat(o.guestForwards().getFirst().target())
        .isEqualTo(new GuestForward.Command(List.of("tr", "a b", "c")));
    assertThat(o.names().search()).containsExactly("a", "b");
    assertThat(o.restrict()).isTrue();
    String json = "{'type':'user','id':'n','hostfwd':[{'str':'tcp::1-:2'},{'str':'::3-:4'}]}";
    NetdevOptions netdev = machine("-netdev", json.replace('\'', '"')).netdevs().getFirst();
    assertThat(((NetdevOptions.User) netdev).network().hostForwards()).hasSize(2);
  }

  @Test
  void networksOfSeveralMachines() throws OptionException {
    List<NetdevOptions> all =
        machine(
                "-netdev", "socket,id=a,listen=:1234",
                "-netdev", "socket,id=b,connect=127.0.0.1:1234",
                "-netdev", "socket,id=c,mcast=230.0.0.1:1234,localaddr=127.0.0.1",
                "-netdev", "socket,id=d,udp=127.0.0.1:1,localaddr=127.0.0.1:2",
                "-netdev", "stream,id=e,server=on,addr.type=unix,addr.path=/tmp/s",
                "-netdev", "stream,id=f,addr.type=inet,addr.host=::1,addr.port=9,reconnect=5",
                "-netdev", "dgram,id=g,local.type=inet,local.host=127.0.0.1,local.port=7,remote.type=inet,"
                    + "remote.host=127.0.0.1,remote.port=8",
                "-netdev", "hubport,id=h,hubid=2,netdev=a")
            .netdevs();
    assertThat(all.get(0))
        .isEqualTo(
            new NetdevOptions.Stream(
                "-netdev socket,id=a,listen=:1234", "a", "socket", new StreamAddress.Inet("", 1234), true, 0));
    assertThat(all.get(4)).extracting("address").isEqualTo(new StreamAddress.Unix(Path.of("/tmp/s")));
    assertThat(all.get(5)).extracting("server", "reconnectSeconds").containsExactly(false, 5);
    assertThat(all.get(3)).extracting("remote").isEqualTo(new InetSocketAddress("127.0.0.1", 1));
    assertThat(all.get(6)).extracting("kind").isEqualTo("dgram");
    assertThat(all.get(7)).extracting("hub", "netdev").containsExactly(2, "a");
  }

  @Test
  void nicIsANetworkAndACardOnIt() throws OptionException {
    MachineOptions m = machine("-nic", "user,mac=52:54:00:00:00:09,hostfwd=::2222-:22", "-nic", "user");
    assertThat(m.netdevs()).hasSize(2);
    assertThat(m.devices().getFirst().driver()).isEqualTo("virtio-net-device");
    assertThat(m.devices().getFirst().properties())
        .containsEntry("mac", "52:54:00:00:00:09")
        .containsEntry("netdev", m.netdevs().getFirst().id());
  }

  @Test
  void theOlderWayMeetsAtAHub() throws OptionException {
    MachineOptions one = machine("-net", "nic,macaddr=52:54:00:00:00:09", "-net", "user,hostfwd=::2222-:22");
    assertThat(one.netdevs()).singleElement().isInstanceOf(NetdevOptions.User.class);
    assertThat(one.devices().getFirst().properties())
        .containsEntry("netdev", one.netdevs().getFirst().id())
        .containsEntry("mac", "52:54:00:00:00:09");
    MachineOptions two = machine("-net", "nic", "-net", "nic", "-net", "user");
    assertThat(two.netdevs()).hasSize(4);
    assertThat(two.netdevs().subList(1, 4)).allMatch(n -> n instanceof NetdevOptions.HubPort p && p.hub() == 0);
    assertThat(two.devices()).extracting(d -> d.properties().get("netdev")).doesNotHaveDuplicates();
    assertThat(machine("-net", "none").devices()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "-netdev nosuch,id=n | Parameter 'type' does not accept value 'nosuch'",
        "-netdev user | Parameter 'id' is missing",
        "-netdev user,id=n,nosuch=1 | Invalid parameter 'nosuch'",
        "-netdev user,id=n,ipv4=off,ipv6=off | IPv4 and IPv6 disabled",
        "-netdev user,id=n,net=10.0.2.0/33 | not '10.0.2.0/33'",
        "-netdev user,id=n,net=hello | not 'hello'",
        "-netdev user,id=n,host=10.0.3.1 | host=10.0.3.1: not in the network 10.0.2.0/24",
        "-netdev user,id=n,dns=1.2 | Parameter 'dns' expects an IPv4 address, not '1.2'",
        "-netdev user,id=n,dhcpstart=10.0.2.2 | DHCP would give out 10.0.2.2",
        "-netdev user,id=n,ipv6-prefixlen=127 | Invalid IPv6 prefix provided",
        "-netdev user,id=n,smb=/tmp | 'smb' is not supported",
        "-netdev user,id=n,ipv6-prefix=1.2.3.4 | Parameter 'ipv6-prefix' expects an IPv6 address, not '1.2.3.4'",
        "-netdev user,id=n,ipv6-net=zz/64 | Parameter 'ipv6-net' expects an IPv6 address, not 'zz'",
        "-netdev user,id=n,hostfwd=tcp:2222-:22 | 'tcp:2222-:22' (Missing host port)",
        "-netdev user,id=n,hostfwd=sctp::1-:2 | 'sctp::1-:2' (Bad protocol name)",
        "-netdev user,id=n,hostfwd=::70000-:2 | '::70000-:2' (Bad host port)",
        "-netdev user,id=n,hostfwd=::1-:0 | '::1-:0' (Bad guest port)",
        "-netdev user,id=n,hostfwd=:x:1-:2 | ':x:1-:2' (Bad host address)",
        "-netdev user,id=n,hostfwd=22 | expected [tcp|udp]:[hostaddr]:hostport",
        "-netdev user,id=n,guestfwd=tcp:10.0.2.100:1-nosuch | target 'nosuch' is none of",
        "-netdev user,id=n,guestfwd=tcp:10.0.3.100:1-cmd:cat | 10.0.3.100 must be in the guest's network",
        "-netdev user,id=n,tftp=/nosuch/folder | '/nosuch/folder' is not a directory",
        "-netdev socket,id=n | exactly one of",
        "-netdev socket,id=n,listen=:1,connect=:2 | exactly one of",
        "-netdev socket,id=n,fd=3 | Parameter 'fd' is not supported",
        "-netdev socket,id=n,mcast=10.0.0.1:1 | does not contain a multicast address",
        "-netdev socket,id=n,udp=127.0.0.1:1 | localaddr= is mandatory with udp=",
        "-netdev socket,id=n,connect=80 | Parameter 'connect' expects host:port, not '80'",
        "-netdev stream,id=n,addr.type=fd | expects one of inet, unix, not 'fd'",
        "-netdev stream,id=n,addr.type=inet,addr.port=99999 | expects a port, not '99999'",
        "-netdev dgram,id=n,remote.type=unix,remote.path=x | dgram requires local= parameter",
        "-netdev dgram,id=n,local.type=unix,local.path=x | requires remote parameter",
        "-netdev dgram,id=n,local.type=unix,local.path=x,remote.type=inet,remote.port=1 | types must be the same",
        "-netdev tap,id=n,fd=3 | Parameter 'fd' is not supported",
        "-netdev tap,id=n,vhost=on | vhost=on is not supported",
        "-netdev tap,id=n,ifname=abcdefghijklmnop | expects up to 15 characters, not 'abcdefghijklmnop'",
        "-netdev hubport,id=n | Parameter 'hubid' is missing",
        "-object filter-dump,id=f,netdev=n | Parameter 'file' is missing",
        "-object filter-mirror,id=f,netdev=n | Parameter 'outdev' is missing",
        "-object filter-redirector,id=f,netdev=n,indev=a,outdev=a | 'indev' and 'outdev' could not be same",
        "-object filter-redirector,id=f,netdev=n | filter redirector needs 'indev' or 'outdev'",
        "-object filter-buffer,id=f,netdev=n | Parameter 'interval' is missing",
        "-object filter-buffer,id=f,netdev=n,interval=0 | 'filter-buffer.interval' requires a positive value",
        "-object filter-buffer,id=f,netdev=n,interval=1,status=x | Parameter 'status'",
        "-nic user,model=nosuch | Unsupported NIC model: nosuch",
        "-nic user,mac=12 | invalid syntax for ethernet address '12'",
      })
  void oneLineSaysWhatIsWrong(String line, String message) {
    String[] words = line.split(" ", 2);
    assertThatThrownBy(() -> machine(words))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith(line)
        .hasMessageContaining(message);
  }
}
