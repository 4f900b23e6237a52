/** The time of day for ages and running durations: ticks once a second, rests while the window is hidden. */
export class Clock {
  nowSecs = $state(Date.now() / 1000);

  start(): () => void {
    const tick = () => {
      if (!document.hidden) this.nowSecs = Date.now() / 1000;
    };
    const timer = setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }
}
