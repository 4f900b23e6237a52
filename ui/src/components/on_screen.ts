/** Tells elements when they come near the visible part of the page and when they leave it. */

const observers = new WeakMap<Element, (visible: boolean) => void>();
let observer: IntersectionObserver | undefined;

function shared(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) observers.get(entry.target)?.(entry.isIntersecting);
    },
    // A little ahead, so that a slow scroll finds charts already drawn.
    { rootMargin: "320px 0px" },
  );
  return observer;
}

/** For `{@attach onScreen(changed)}`. */
export function onScreen(changed: (visible: boolean) => void): (node: Element) => () => void {
  return (node) => {
    observers.set(node, changed);
    shared().observe(node);
    return () => {
      shared().unobserve(node);
      observers.delete(node);
    };
  };
}
