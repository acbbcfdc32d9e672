//! A watch that is read in batches while much happens: a process that wakes for each event does little else than wake.
//! It changes neither events nor their order, and holds up no listing, and nothing that happens after a while of calm.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use kube::runtime::watcher::{self, Event};
use tokio::time::{Instant, Sleep, sleep};

/// How long a watch is left alone that has been read.
const REST: Duration = Duration::from_millis(100);

/// A watch has been read once nothing has come for so long: its connection hands out one event after the other.
const SILENCE: Duration = Duration::from_millis(2);

/// The events of a watch, in batches.
pub(crate) struct Rested<S> {
    events: S,
    state: State,
    timer: Pin<Box<Sleep>>,
    rest: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has come for a while: what comes is handed out at once.
    Calm,
    /// What comes is handed out at once, until the timer goes off.
    Reading,
    /// Nothing is read until the timer goes off.
    Resting,
}

impl<S> Rested<S> {
    pub(crate) fn new(events: S) -> Self {
        Self {
            events,
            state: State::Calm,
            timer: Box::pin(sleep(Duration::ZERO)),
            rest: REST,
        }
    }

    fn enter(&mut self, state: State, lasts: Duration) {
        self.state = state;
        self.timer.as_mut().reset(Instant::now() + lasts);
    }
}

impl<S, K> Stream for Rested<S>
where
    S: Stream<Item = watcher::Result<Event<K>>> + Unpin,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        loop {
            if this.state != State::Resting
                && let Poll::Ready(event) = Pin::new(&mut this.events).poll_next(cx)
            {
                if matches!(event, Some(Ok(Event::Apply(_) | Event::Delete(_)))) {
                    this.enter(State::Reading, SILENCE);
                }
                return Poll::Ready(event);
            }
            if this.state == State::Calm {
                return Poll::Pending;
            }
            ready!(this.timer.as_mut().poll(cx));
            match this.state {
                State::Reading => this.enter(State::Resting, this.rest),
                State::Calm | State::Resting => this.state = State::Calm,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
    use futures::{FutureExt, StreamExt};

    use super::*;

    type Events = UnboundedSender<watcher::Result<Event<u8>>>;

    /// A watch that rests so long after it has been read.
    fn rested(
        rest: Duration,
    ) -> (
        Events,
        Rested<UnboundedReceiver<watcher::Result<Event<u8>>>>,
    ) {
        let (send, events) = unbounded();
        let rested = Rested {
            rest,
            ..Rested::new(events)
        };
        (send, rested)
    }

    fn send(events: &Events, event: Event<u8>) {
        events.unbounded_send(Ok(event)).unwrap();
    }

    /// What it hands out at once.
    fn now(rested: &mut (impl Stream<Item = watcher::Result<Event<u8>>> + Unpin)) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(event) = rested.next().now_or_never() {
            match event.unwrap().unwrap() {
                Event::Apply(number) | Event::Delete(number) | Event::InitApply(number) => {
                    all.push(number);
                }
                Event::Init | Event::InitDone => {}
            }
        }
        all
    }

    #[tokio::test]
    async fn what_comes_after_a_calm_is_handed_out_at_once_and_what_follows_waits() {
        let (events, mut rested) = rested(Duration::from_secs(3600));
        assert!(now(&mut rested).is_empty());
        send(&events, Event::Apply(1));
        send(&events, Event::Delete(2));
        assert_eq!(now(&mut rested), [1, 2]);
        sleep(2 * SILENCE).await;
        assert!(now(&mut rested).is_empty());
        send(&events, Event::Apply(3));
        assert!(now(&mut rested).is_empty());
    }

    #[tokio::test]
    async fn nothing_is_lost_while_it_rests_and_nothing_comes_twice() {
        let (events, rested) = rested(SILENCE);
        for number in 0..20 {
            send(&events, Event::Apply(number));
            if number % 3 == 0 {
                sleep(2 * SILENCE).await;
            }
        }
        drop(events);
        let number = |event: watcher::Result<Event<u8>>| match event.unwrap() {
            Event::Apply(number) => number,
            other => panic!("{other:?}"),
        };
        let all: Vec<u8> = rested.map(number).collect().await;
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_listing_is_not_held_up() {
        let (events, mut rested) = rested(Duration::from_secs(3600));
        send(&events, Event::Init);
        for number in 0..3 {
            send(&events, Event::InitApply(number));
            assert_eq!(now(&mut rested), [number]);
            sleep(2 * SILENCE).await;
        }
        send(&events, Event::InitDone);
        send(&events, Event::Apply(3));
        assert_eq!(now(&mut rested), [3]);
    }
}
