// What reaches past the right edge without being clipped or scrolled by something around it.
() => {
        const inside = (node) => { for (let at = node; at && at !== document.documentElement; at = at.parentElement)
            if (getComputedStyle(at).overflowX !== 'visible' && at.getBoundingClientRect().right <= innerWidth + 1) return true;
            return false; };
        const out = [...document.querySelectorAll('#room *')].filter((node) =>
            node.getBoundingClientRect().right > innerWidth + 1 && !inside(node.parentElement) && getComputedStyle(node).visibility !== 'hidden');
        for (const box of document.querySelectorAll('.scroll')) if (box.scrollWidth > box.clientWidth) {
            const limit = box.getBoundingClientRect().right;
            const clipped = (node) => { for (let at = node.parentElement; at && at !== box; at = at.parentElement)
                if (getComputedStyle(at).overflowX !== 'visible') return true; return false; };
            out.push(...[...box.querySelectorAll('*')].filter((node) =>
                node.getBoundingClientRect().right > limit + 1 && !clipped(node) && !node.closest('.sr-only')));
        }
        return out.map((node) => node.outerHTML.slice(0, 80));
        }
