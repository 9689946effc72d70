package org.ascus.devices.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class NetHubTest {
  @Test
  void whatComesInAtAPortGoesOutAtAllOthers() throws Exception {
    NetHub hub = new NetHub(0);
    TestCard[] cards = {new TestCard(), new TestCard(), new TestCard()};
    NetLink[] links = new NetLink[3];
    for (int i = 0; i < 3; i++) {
      links[i] = new NetLink("p" + i, hub.port());
      links[i].plug(cards[i]);
    }
    Frame frame = TestCard.frame(1);
    assertThat(links[0].send(frame)).isTrue();
    assertThat(cards[1].next()).isSameAs(frame);
    assertThat(cards[2].next()).isSameAs(frame);
    assertThat(cards[0].count()).isZero();
    assertThat(links[1].backend().describe()).isEqualTo("type=hubport,hub=0");
    for (NetLink l : links) {
      l.close();
    }
  }

  @Test
  void aPortThatIsFullGetsItsFramesLaterAndHoldsNobodyUp() throws Exception {
    NetHub hub = new NetHub(0);
    TestCard slow = new TestCard();
    TestCard fast = new TestCard();
    NetLink sender = new NetLink("s", hub.port());
    sender.plug(new TestCard());
    NetLink slowLink = new NetLink("a", hub.port());
    slowLink.plug(slow);
    new NetLink("b", hub.port()).plug(fast);
    slow.setFull(true);
    for (int i = 0; i < 10; i++) {
      assertThat(sender.send(TestCard.frame(i))).isTrue();
    }
    for (int i = 0; i < 10; i++) {
      assertThat(fast.next().bytes()[21]).isEqualTo((byte) i);
    }
    slow.setFull(false);
    slowLink.cardHasRoom();
    for (int i = 0; i < 10; i++) {
      assertThat(slow.next().bytes()[21]).isEqualTo((byte) i);
    }
  }

  @Test
  void anotherNetworkJoinsTheHub() throws Exception {
    NetHub hub = new NetHub(3);
    TestBackend backend = new TestBackend(Offloads.ALL);
    NetLink other = new NetLink("net0", backend);
    NetHub.join(other, hub.port());
    TestCard card = new TestCard();
    NetLink link = new NetLink("p", hub.port());
    link.plug(card);
    assertThat(backend.guest().receive(TestCard.frame(1))).isTrue();
    assertThat(card.next().bytes()[21]).isEqualTo((byte) 1);
    assertThat(backend.guest().offloads()).isEqualTo(Offloads.NONE);
    link.send(TestCard.frame(2));
    for (int i = 0; i < 1000 && backend.roomAgainCount() == 0; i++) {
      if (!backend.sent().isEmpty()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("nothing reached the other network");
  }
}
